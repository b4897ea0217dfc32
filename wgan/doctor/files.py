"""What is wrong with the files of a run: its checkpoints and its log, not its numbers."""

from ..checkpoint import (
    BEST,
    Checkpoint,
    checkpoint_path,
    checkpoint_steps,
    read_best,
    read_checkpoint,
)
from ..errors import RunError
from ..folder import RunFolder
from .finding import Evidence, Finding, errors_first


def file_findings(folder: RunFolder) -> tuple[Finding, ...]:
    """What cannot be read back of a run that no process trains; of one that trains, nothing.

    Every checkpoint is read and its SHA-256 compared; the log must have a line that ends
    where it ended when the newest good checkpoint was written, and end with a whole line itself.

    Parameters
    ----------
    folder : RunFolder

    Returns
    -------
    tuple of Finding
        A file each, errors first.
    """
    steps = checkpoint_steps(folder.checkpoints)
    found: list[Finding] = []
    good: Checkpoint | None = None
    for step in reversed(steps):
        try:
            read = read_checkpoint(folder.checkpoints, step)
        except RunError as error:
            found.append(_damaged(folder, str(error), step, newest=step == steps[-1]))
        else:
            good = good or read
    if not steps:
        found.append(_missing(folder))
    elif good is not None:
        found += _of_best(folder, good)
    found += _of_log(folder, good)
    return errors_first(found)


def _missing(folder: RunFolder) -> Finding:
    return Finding(
        "missing checkpoint",
        "error",
        (Evidence(f"checkpoints in {folder.checkpoints}", 0, "", 0),),
        "The run can be neither continued nor sampled: its networks are not there.",
        "Put the checkpoints back from a copy of the folder, or train anew in another folder.",
    )


def _damaged(folder: RunFolder, complaint: str, step: int, *, newest: bool) -> Finding:
    reason, _, advice = complaint.partition("; nothing was changed; ")
    path = checkpoint_path(folder.checkpoints, step)
    return Finding(
        "damaged checkpoint",
        "error" if newest else "warning",
        (Evidence(f"bytes of {path}", path.stat().st_size, "", step),),
        f"{reason}.",
        f"Put the file back from a copy; {advice or 'the newest checkpoint is another file'}.",
    )


def _of_best(folder: RunFolder, good: Checkpoint) -> list[Finding]:
    """Whether the checkpoint of the best evaluation, which the newest one names, is there."""
    step = int(good.tensors["best"][1]) if "best" in good.tensors else -1
    if step < 0:
        return []
    try:
        read_best(folder.checkpoints)
    except RunError as error:
        count = len(list(folder.checkpoints.glob(BEST)))
        evidence = Evidence("checkpoints of a best evaluation, good or damaged", count, "", step)
        return [
            Finding(
                "damaged checkpoint", "warning", (evidence,), f"{error}.",
                "Do without --best; the next evaluation that is better writes a new one.",
            )
        ]  # fmt: skip
    return []


def _of_log(folder: RunFolder, good: Checkpoint | None) -> list[Finding]:
    """Whether the log has all that a checkpoint has seen, and ends with a whole line."""
    content = folder.metrics.read_bytes() if folder.metrics.is_file() else b""
    step = 0 if good is None else good.step
    wanted = 0 if good is None else good.metrics_bytes
    if len(content) < wanted or (wanted and content[wanted - 1 : wanted] != b"\n"):
        evidence = (
            Evidence(f"bytes of {folder.metrics}", len(content), "", step),
            Evidence("bytes when the checkpoint was written", wanted, "", step),
        )
        return [
            Finding(
                "lines missing", "error", evidence,
                "Lines of the log were lost or changed: curves and findings are of what is left, "
                "and the run cannot be continued from this checkpoint.",
                "Put metrics.jsonl back from a copy, or continue an older checkpoint with "
                "--resume-step.",
            )
        ]  # fmt: skip
    torn = len(content) - 1 - content.rfind(b"\n")
    if torn:
        rest = Evidence(f"bytes behind the last line of {folder.metrics}", torn, "", step)
        return [
            Finding(
                "torn line", "warning", (rest,),
                "The process ended while it wrote this line, which is left out here.",
                "Nothing is to be done: --resume goes back to the checkpoint and writes it anew.",
            )
        ]  # fmt: skip
    return []
