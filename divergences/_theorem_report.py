"""The claims, what was found and the evidence on one page of HTML that needs no network."""

import base64
import html
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import _theorem_figures, plots
from ._mathtext import Typesetter
from .theorems import ALL, Claim, ClaimResult, refute

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VARIANT_CASES = 100

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 3rem; border-bottom: 1px solid #ccc; }
section.claim { margin: 1.5rem 0; padding: .75rem 1.25rem; border: 1px solid #ddd;
                border-left: 6px solid #009e73; border-radius: 4px; break-inside: avoid; }
section.fail { border-left-color: #d55e00; } section.skip { border-left-color: #999; }
section.claim h3 { margin: 0 0 .5rem; } section.claim h3 code { font-weight: normal; }
.formulas { margin: .75rem 0; line-height: 2.4; } .formulas b { font-weight: 600; }
svg.formula { max-width: 100%; height: auto; margin-right: .75em; }
dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .2rem .75rem; margin: .75rem 0 0;
     font-size: .92rem; } dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #eee; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.pass, span.pass { color: #00664b; } td.skip, span.skip { color: #666; }
td.fail, span.fail { color: #b34700; font-weight: 600; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; height: auto; }
figcaption { font-size: .92rem; color: #333; } code { font-size: .9em; }
.explanation { background: #fff8e6; padding: .5rem .75rem; border-radius: 4px; }
"""


def page(results: Sequence[ClaimResult]) -> str:
    """The report on ``results``: a table, figures, and every claim with its false variants.

    Parameters
    ----------
    results : sequence of ClaimResult, what `divergences.theorems.check_all` returned

    Returns
    -------
    str
        HTML with all images and formulas inside. Drawing it takes some ten seconds, most of them
        for refuting the false variants.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    found = {result.id: result for result in results}
    setter = Typesetter()
    groups = {"Claims": "", "Errata": "erratum_", "Counterexamples": "counterexample_"}
    parts = [_table(results), _evidence()]
    for title, prefix in groups.items():
        members = [claim for claim in ALL if claim.id in found and _prefix(claim) == prefix]
        if members:
            sections = [_claim(claim, found[claim.id], setter) for claim in members]
            parts.append(f"<h2>{title}</h2>\n" + "\n".join(sections))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>The claims of Wasserstein GAN, checked</title>\n<style>{STYLE}</style>\n"
        f"</head>\n<body>\n{_head(results)}\n{body}\n</body>\n</html>\n"
    )


def _prefix(claim: Claim) -> str:
    return next((p for p in ("erratum_", "counterexample_") if claim.id.startswith(p)), "")


def _head(results: Sequence[ClaimResult]) -> str:
    verdicts = [result.verdict for result in results]
    counts = ", ".join(
        f"{verdicts.count(verdict)} {word}"
        for verdict, word in (("pass", "hold"), ("fail", "fail"), ("skip", "skipped"))
        if verdict in verdicts
    )
    cases = sum(result.cases for result in results)
    seed = results[0].seed if results else 0
    return (
        "<h1>The claims of <i>Wasserstein GAN</i>, checked</h1>\n"
        "<p>Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875. "
        f"Of {len(results)} statements: <b>{counts}</b>; {cases:,} cases of seed {seed}. "
        "The <i>slack</i> is what is left of the room that an inequality has, as a part of its "
        "larger side, or of the rounding that an equality is allowed; a negative slack is a "
        "failure. Every claim is accompanied by false variants, which the same check refutes.</p>"
    )


def _table(results: Sequence[ClaimResult]) -> str:
    rows = "\n".join(
        f'<tr><td><a href="#{result.id}"><code>{result.id}</code></a></td>'
        f"<td>{html.escape(result.statement)}</td>"
        f'<td class="number">{result.cases}</td><td class="number">{result.worst_slack:.2g}</td>'
        f'<td class="{result.verdict}">{result.verdict}</td></tr>'
        for result in results
    )
    return (
        '<table>\n<thead><tr><th>claim</th><th>in one line</th><th class="number">cases</th>'
        '<th class="number">worst slack</th><th>verdict</th></tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _evidence() -> str:
    figures = [
        _figure(
            plots.figure_1(), "Example 1, Figure 1. Parallel lines: W1 is a V, JS and TV are steps."
        ),
        _figure(
            _theorem_figures.joint_range(),
            "Theorem 2 (1). Pairs of probability vectors fill the range between the sharp lower "
            "curve, which two-point laws attain, and TV log 2, which laws with a common part and "
            "disjoint rests attain.",
        ),
        _figure(
            _theorem_figures.pinsker(),
            "Theorem 2 (3). Pinsker's inequality is sharp for small KL, Bretagnolle and Huber's "
            "says more for large KL.",
        ),
        _figure(
            _theorem_figures.counterexamples(),
            "The counterexamples C1 to C5: which quantity follows which along each sequence.",
        ),
        _figure(
            plots.figure_2(),
            "Figure 2. Two normal laws: the optimal discriminator saturates, the critic does not.",
        ),
        _figure(
            _theorem_figures.clipping(),
            "Section 3. Clipped weights: the gradient of a critic against its depth, beside the "
            "root of its exact second moment.",
        ),
        _figure(
            _theorem_figures.noise(),
            "Section 1. Noise on both lines makes KL finite; the noise that helps is the blur.",
        ),
    ]
    return "<h2>Evidence</h2>\n" + "\n".join(figures)


def _figure(figure: "Figure", caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = html.escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _claim(claim: Claim, result: ClaimResult, setter: Typesetter) -> str:
    entries = [
        ("source", html.escape(claim.source)),
        ("hypotheses", html.escape("; ".join(claim.hypotheses)) or "none"),
        ("checked on", f"{html.escape(claim.domain)}; {result.cases} cases"),
        ("verdict", f'<span class="{result.verdict}">{result.verdict}</span>'),
        ("worst case", _worst(result)),
        ("false variants", _variants(claim, result)),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries if text)
    explained = f'<p class="explanation">{html.escape(claim.explanation)}</p>'
    return (
        f'<section class="claim {result.verdict}" id="{claim.id}">\n'
        f"<h3>{html.escape(claim.title)} <code>{claim.id}</code></h3>\n"
        f"{explained if claim.explanation else ''}"
        f'<div class="formulas"><b>Statement.</b> {setter.formula(claim.statement)}</div>\n'
        f'<div class="formulas"><b>Checked.</b> {setter.formula(claim.inequality)}</div>\n'
        f"<dl>{rows}</dl>\n</section>"
    )


def _worst(result: ClaimResult) -> str:
    if result.worst_case is None:
        return ""
    relation = result.worst_case.relation
    call = f"check_case({result.id!r}, {result.worst_case.index}, seed={result.seed})"
    values = ""
    if not math.isnan(relation.lhs):
        sides = f"{relation.lhs:.6g} {relation.kind} {relation.rhs:.6g}"
        values = f": {sides}, rounding {relation.budget:.2g}, slack {relation.slack:.2g}"
    return f"{html.escape(relation.name + values)}; <code>{html.escape(call)}</code>"


def _variants(claim: Claim, result: ClaimResult) -> str:
    if result.verdict == "skip":
        return ""
    lines = []
    for variant in refute(claim.id, cases=VARIANT_CASES, seed=result.seed):
        worst, word = variant.worst_case, "not refuted"
        if variant.verdict == "fail" and worst is not None:
            word = f"refuted by case {worst.index}"
        lines.append(f"{html.escape(variant.statement)}: {word}")
    return "<br>".join(lines)
