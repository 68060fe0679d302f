"""References (`${NAME}`, `env.NAME`): resolve them in a task, and show them as written elsewhere."""
