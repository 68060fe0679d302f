"""Run several windows one after the other, and tell what was done when one of them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from bifrost_export.cli.masking import Masker
    from bifrost_export.pipeline.walk import Walk
    from bifrost_export.window import Window


def run_all(
    walk: Walk,
    run_window: Callable[[Window], dict[str, Any]],
    show: Callable[[dict[str, Any]], None] | None,
    masker: Masker,
) -> int:
    """Run the windows of a walk; the first that fails ends it.

    Args:
        walk: What to do.
        run_window: Exports one window.
        show: Shows a window that was exported to people; None prints one JSON object at the end instead.
        masker: Knows the secrets that were resolved.

    Returns:
        The exit code.
    """
    from bifrost_export.cli.failures import facts_of, tell
    from bifrost_export.cli.summary import many

    done: list[dict[str, Any]] = []
    error: Exception | None = None
    for window in walk.windows:
        try:
            done.append(run_window(window))
        except Exception as caught:  # noqa: BLE001 (it is told beside what was done)
            error = caught
            break
        if show is not None:
            show(done[-1])
    if show is None:
        facts, code = facts_of(error, masker) if error else (None, 0)
        output.print_json({"runs": done, "skipped": walk.skipped, **({"error": facts} if error else {})})
        return code
    left = len(walk.windows) - len(done)
    told = f"{many(len(done), 'window')} exported, {walk.skipped:,} published already"
    output.print_text(told + (f", {left:,} left" if left else ""))
    return tell(error, masker, as_json=False) if error else 0
