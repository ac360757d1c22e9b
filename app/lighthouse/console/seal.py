"""The mark by which a form shows that the console itself made it, for this session and no other."""

import hashlib
import hmac

from lighthouse.keys import KeyRing
from lighthouse.sessions import Identity

PURPOSE = "console"


class Seal:
    """Makes and checks the marks, which follow from the session's id and the secret: no memory is needed."""

    def __init__(self, keyring: KeyRing) -> None:
        self._key = keyring.key(PURPOSE)

    def of(self, session: Identity) -> str:
        """The mark of this session's forms."""
        return hmac.digest(self._key, session.token_id.encode(), hashlib.sha256).hex()

    def holds(self, session: Identity, mark: str) -> bool:
        """Whether a form with this mark was made for this session."""
        return hmac.compare_digest(self.of(session).encode(), mark.encode("utf-8", "replace"))
