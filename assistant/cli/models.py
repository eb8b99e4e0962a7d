"""The progress bar of the embedder's one-time conversion."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import TaskID

from assistant.cli.console import progress_bar


def embedder_progress() -> Callable[[int, int], None]:
    """Return a callback that shows how far the conversion of the bundled model is."""
    bar = progress_bar()
    tasks: list[TaskID] = []

    def step(done: int, total: int) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task("Preparing the embedding model (once)", total=total))
        bar.update(tasks[0], completed=done)
        if done >= total:
            bar.stop()

    return step
