"""The demo: the paper's claims checked, its figures drawn, a WGAN trained on real digits."""

import html
import json
from pathlib import Path

from divergences.plots import figure_1, figure_2
from divergences.theorems import ClaimResult, check_all

from .charts import svg_image
from .checkpoint import write_atomically
from .config import TrainingConfig
from .errors import RunError
from .folder import RunFolder
from .page import Section, page, table
from .report import excess_fall, lead, sections, verdict, write_page
from .run import Run
from .specification import demand_count
from .train import train

STEPS = 2000
"""Generator steps of the whole demo."""
GOAL = 2 / 3
"""The part of the excess over the floor that the whole demo has to remove."""


def demo(out: Path, steps: int | None = None) -> int:
    """Run the demo and write ``out/report.html``.

    Parameters
    ----------
    out : Path
        Folder of the demo: new, empty, or that of an earlier demo, whose files are replaced.
    steps : int, optional
        Short mode: so many generator steps, and no claim about the digits.

    Returns
    -------
    int
        Exit status: 0, or 1 where a claim of the paper fails or, in the whole demo, the excess
        over the floor falls by less than two thirds.

    Raises
    ------
    RunError
        For a folder that is not a demo's, or cannot be written to.
    """
    if steps is not None:
        demand_count("option steps", steps, least=0)
    config = TrainingConfig(
        out=out / "digits", data="digits", steps=STEPS if steps is None else steps, device="cpu",
        eval_every=50 if steps is None else max(1, steps // 2),
    )  # fmt: skip
    _claim_folder(out)
    print("1. The paper's claims, on seeded problems", flush=True)
    claims = check_all()
    print_claims(claims)
    print("\n2. A Wasserstein GAN on the 8x8 digits, by Algorithm 1", flush=True)
    run = train(config)
    report = out / "report.html"
    write_page(report, _page(claims, run, whole=steps is None))
    failed = [claim.id for claim in claims if claim.verdict == "fail"]
    if failed:
        print(f"\nthese claims failed: {', '.join(failed)}")
    reached = True
    if steps is None:
        reached = excess_fall(run) >= GOAL
        print(f"\nverdict: {verdict(run)} ({'at least' if reached else 'LESS than'} two thirds)")
    print(f"report: {report}")
    return 0 if reached and not failed else 1


def print_claims(claims: tuple[ClaimResult, ...]) -> None:
    """One line for each claim."""
    width = max(len(claim.id) for claim in claims)
    print(f"{'claim':{width}}  cases  worst slack  verdict")
    for claim in claims:
        line = f"{claim.id:{width}}  {claim.cases:5d}  {claim.worst_slack:11.2g}  {claim.verdict}"
        print(line)


def _claim_folder(out: Path) -> None:
    """Make ``out`` the demo's own, and remove what an earlier demo wrote there."""
    mark = out / "demo.json"
    if out.exists() and not out.is_dir():
        message = f"{out}: is a file, not a folder"
        raise RunError(message)
    if out.is_dir() and any(out.iterdir()) and not mark.is_file():
        message = f"{out}: is neither empty nor the folder of an earlier demo"
        raise RunError(message)
    RunFolder(out / "digits").remove()
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.html").unlink(missing_ok=True)
    except OSError as error:
        message = f"{out}: cannot be written to ({error.strerror})"
        raise RunError(message) from None
    content = json.dumps({"written by": "wgan demo"}) + "\n"
    write_atomically(mark, lambda file: file.write(content.encode()))


def _page(claims: tuple[ClaimResult, ...], run: Run, *, whole: bool) -> str:
    introduction = (
        "<p>Three things from Arjovsky, Chintala and Bottou, <i>Wasserstein GAN</i> (2017), "
        "computed on this machine: its claims, its first two figures, and its algorithm on real "
        "images, with the exact Wasserstein-1 distance beside the critic's estimate.</p>"
    )
    short = f"<p>A short run of {run.step} generator steps: it makes no claim about the digits.</p>"
    return page(
        "Wasserstein GAN: claims, figures and a run on real digits",
        introduction + (lead(run) if whole else short),
        [
            Section("The paper's claims, checked", _claims(claims)),
            Section("Figure 1: parallel lines", _figure_1()),
            Section("Figure 2: two Gaussians", _figure_2()),
            *(Section(f"Digits: {part.title.lower()}", part.body) for part in sections(run)),
            Section("How to repeat the whole demo", "<pre>python -m wgan demo</pre>"),
        ],
    )


def _claims(claims: tuple[ClaimResult, ...]) -> str:
    passed = sum(claim.verdict == "pass" for claim in claims)
    rows = [
        (claim.id, claim.statement, str(claim.cases), f"{claim.worst_slack:.2g}", claim.verdict)
        for claim in claims
    ]
    return (
        f"<p>{passed} of {len(claims)} claims hold on all of their seeded cases. The slack is the "
        "room that the closest case leaves: negative slack would be a violation. "
        "<code>python -m divergences theorems</code> prints the same table.</p>"
        + table(("claim", "statement", "cases", "worst slack", "verdict"), rows, "  rr ")
    )


def _figure_1() -> str:
    text = (
        "Two parallel line segments at distance |θ|: the Wasserstein-1 distance is |θ| and tells "
        "a generator where to go; total variation and Jensen-Shannon are constant but for θ = 0."
    )
    return svg_image(figure_1(), "Figure 1: W1, JS and TV against theta") + _text(text)


def _figure_2() -> str:
    text = (
        "Between two far Gaussians the optimal discriminator is flat, and its gradient vanishes; "
        "the optimal critic keeps its slope."
    )
    return svg_image(figure_2(), "Figure 2: discriminator and critic of two Gaussians") + _text(
        text
    )


def _text(words: str) -> str:
    return f"<p>{html.escape(words)}</p>"
