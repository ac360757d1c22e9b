"""What a command prints, as far as it can be told, and where that comes from."""

from dataclasses import dataclass

from lighthouse.policy.shell.marks import ANY


@dataclass(frozen=True, slots=True)
class Output:
    """Printed text with marks for what is unknown; `sources` of it are "network", "decoded" and "secret"."""

    text: str = ANY
    sources: frozenset[str] = frozenset()


NOTHING = Output("")
SOMETHING = Output()


def joined(outputs: list[Output]) -> Output:
    """What several commands print one after another."""
    if not outputs:
        return NOTHING
    if len(outputs) == 1:
        return outputs[0]
    text = "".join(output.text for output in outputs)
    return Output(text, frozenset().union(*(output.sources for output in outputs)))
