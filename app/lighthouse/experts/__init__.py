"""Who is asked when a tool call is in doubt: experts, by what they can judge."""

from lighthouse.experts.capabilities import Capabilities, Coverage, Needs
from lighthouse.experts.errors import BadExpert
from lighthouse.experts.expert import Expert
from lighthouse.experts.experts import Experts

__all__ = ["BadExpert", "Capabilities", "Coverage", "Expert", "Experts", "Needs"]
