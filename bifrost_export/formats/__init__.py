"""The formats that parts are written in; each has a module of its own, and the registry finds it."""
