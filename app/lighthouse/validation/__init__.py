"""Tool calls and their verdicts: given at once by the policies, or by those who are asked."""

from lighthouse.validation.bounded import is_clipped
from lighthouse.validation.desk import Desk, Expert
from lighthouse.validation.errors import (
    AlreadyAnswered,
    AlreadyResolved,
    BadAnswer,
    BadCall,
    NoSuchRule,
    NoSuchValidation,
    TooManyRules,
)
from lighthouse.validation.facts import Fact, Needs
from lighthouse.validation.project import ProjectPaths
from lighthouse.validation.proposed import DIFF_CUT, MAX_DIFF
from lighthouse.validation.remembered import Remember, Remembered
from lighthouse.validation.request import Answer, Outcome, Resolution, Validation
from lighthouse.validation.validations import Validations

__all__ = [
    "DIFF_CUT",
    "MAX_DIFF",
    "AlreadyAnswered",
    "AlreadyResolved",
    "Answer",
    "BadAnswer",
    "BadCall",
    "Desk",
    "Expert",
    "Fact",
    "Needs",
    "NoSuchRule",
    "NoSuchValidation",
    "Outcome",
    "ProjectPaths",
    "Remember",
    "Remembered",
    "Resolution",
    "TooManyRules",
    "Validation",
    "Validations",
    "is_clipped",
]
