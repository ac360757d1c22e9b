"""Typed questions from one agent to another: asked with a JSON Schema, answered in its shape."""

from lighthouse.elicitation.errors import (
    BadQuestion,
    BadReply,
    NoSuchQuestion,
    QuestionClosed,
    TooManyQuestions,
)
from lighthouse.elicitation.question import Action, Question, State
from lighthouse.elicitation.questions import Questions

__all__ = [
    "Action",
    "BadQuestion",
    "BadReply",
    "NoSuchQuestion",
    "Question",
    "QuestionClosed",
    "Questions",
    "State",
    "TooManyQuestions",
]
