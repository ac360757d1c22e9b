"""`lighthouse policy`: check policies, explain a verdict, run a table of cases; all without a bridge."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighthouse.cli.call import Input, Tool, tool_input
from lighthouse.cli.options import AsJson
from lighthouse.cli.output import fail, print_json, print_line, print_table

if TYPE_CHECKING:
    from lighthouse.policy.judge import Judge, Judgement

app = typer.Typer(help="Check policies, explain verdicts, run tables of cases.", rich_markup_mode=None)

Policies = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        metavar="DIR",
        help="Folder of the policies [/etc/lighthouse/policies, else the shipped ones].",
    ),
]
Project = Annotated[
    Path | None, typer.Option("--project", metavar="DIR", help="The project's folder [the current one].")
]
Cwd = Annotated[
    str | None, typer.Option("--cwd", metavar="DIR", help="Where the call is made [the project's folder].")
]


@app.callback()
def _policy() -> None:
    """Check policies, explain verdicts, run tables of cases."""


@app.command("check")
def check(policies: Policies = None, as_json: AsJson = False) -> None:
    """Parse the policies, hold them against the schema, and list them."""
    rules = _rules(policies)
    if as_json:
        print_json({"version": rules.version, "rules": list(rules.rules.values())})
        return
    rows = [(rule.id, rule.decision, rule.tier, rule.file, rule.reason) for rule in rules.rules.values()]
    print_table(("rule", "decides", "tier", "file", "reason"), rows)
    print_line(f"{len(rows)} policies are good, version {rules.version}")


@app.command("explain")
def explain(
    command: Annotated[str | None, typer.Argument(help="The Bash command to explain.")] = None,
    tool: Tool = "Bash",
    fields: Input = None,
    agent: Annotated[str, typer.Option("--agent", metavar="ID", help="Who calls.")] = "unknown",
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The caller's role.")] = "agent",
    policies: Policies = None,
    project: Project = None,
    cwd: Cwd = None,
    as_json: AsJson = False,
) -> None:
    """Show a call's facts, the rule that decides, and why."""
    from lighthouse.policy.judge import Call

    judge, folder = _judge(policies, project)
    judged = judge.judge(Call(tool, tool_input(command, fields), cwd or folder, agent, role))
    if as_json:
        print_json(_as_json(judged))
    else:
        _show(judged)


@app.command("test")
def run_cases(
    files: Annotated[list[Path], typer.Argument(help="Tables of cases, one JSON object on a line.")],
    policies: Policies = None,
    project: Project = None,
    cwd: Cwd = None,
    as_json: AsJson = False,
) -> None:
    """Run tables of cases; 1 when a verdict is not as expected."""
    from lighthouse.policy.cases import judge_cases

    judge, folder = _judge(policies, project)
    wrong: list[dict[str, Any]] = []
    total = 0
    for file in files:
        for line, case, verdict in judge_cases(judge, file, cwd or folder):
            total += 1
            if not case.met_by(verdict):
                call = case.command if case.command is not None else f"{case.tool} {case.input}"
                wrong.append(
                    {
                        "file": str(file),
                        "line": line,
                        "call": call,
                        "expect": case.expect,
                        "decision": verdict.decision,
                        "rule": verdict.rule,
                        "reason": verdict.reason,
                    }
                )
    if as_json:
        print_json({"cases": total, "wrong": wrong})
    else:
        if wrong:
            rows = [
                (f"{one['file']}:{one['line']}", one["expect"], one["decision"], one["rule"], one["call"])
                for one in wrong
            ]
            print_table(("case", "expected", "got", "rule", "call"), rows)
        print_line(f"{total - len(wrong)} of {total} cases are as expected")
    if wrong:
        raise typer.Exit(1)


def _rules(policies: Path | None) -> "Any":
    from lighthouse.policy.folder import POLICIES, load_texts
    from lighthouse.policy.rules import Rules

    if policies is not None and not policies.is_dir():
        fail(f"{policies} is no folder: name the folder of the policies")
    return Rules(load_texts(policies or POLICIES))


def _judge(policies: Path | None, project: Path | None) -> "tuple[Judge, str]":
    from lighthouse.policy.judge import Judge
    from lighthouse.policy.links import read_link, real_folder
    from lighthouse.policy.places import Roots

    folder = real_folder(project or Path())
    return Judge(_rules(policies), Roots((folder,), str(Path.home()), read_link)), folder


def _as_json(judged: "Judgement") -> dict[str, Any]:
    import msgspec

    acts = [
        {**{name: getattr(act, name) for name in act.__slots__}, "decision": rule.decision, "rule": rule.id}
        for act, rule in judged.acts
    ]
    programs = [
        {"name": program.name, "arguments": program.arguments, "within": program.within}
        for program in judged.facts.programs
    ]
    return {
        "verdict": msgspec.to_builtins(judged.verdict),
        "tool": judged.facts.tool,
        "programs": programs,
        "acts": acts,
    }


def _show(judged: "Judgement") -> None:
    verdict = judged.verdict
    print_line(f"{verdict.decision} ({verdict.tier}), by {verdict.rule}: {verdict.reason}")
    if verdict.suggestion:
        print_line(f"safer: {verdict.suggestion}")
    if judged.facts.programs:
        print_line("")
        print_table(
            ("program", "arguments", "within"),
            [(one.name, " ".join(one.arguments), " ".join(one.within)) for one in judged.facts.programs],
        )
    if judged.acts:
        print_line("")
        print_table(
            ("act", "place", "target", "decides", "rule"),
            [
                (
                    act.action,
                    act.place + (" (all of it)" if act.recursive else ""),
                    act.target or act.detail,
                    found.decision,
                    found.id,
                )
                for act, found in judged.acts
            ],
        )
