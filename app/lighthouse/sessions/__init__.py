"""Who acts: agents' tokens, the short session tokens made from them, what a role may do, and revocation."""

from lighthouse.sessions.roles import Permission, Role, allows
from lighthouse.sessions.sessions import NotAllowed, Sessions
from lighthouse.sessions.tokens import BadToken, Identity, mint_agent_token

__all__ = [
    "BadToken",
    "Identity",
    "NotAllowed",
    "Permission",
    "Role",
    "Sessions",
    "allows",
    "mint_agent_token",
]
