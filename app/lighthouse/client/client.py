"""The bridge as an async Python object: one method for each route, a mixin for each feature."""

from lighthouse.client.annotations import Annotations
from lighthouse.client.collaborations import Collaborations
from lighthouse.client.contexts import Contexts
from lighthouse.client.elicitation import Elicitation
from lighthouse.client.experts import Experts
from lighthouse.client.leases import Leases
from lighthouse.client.letters import Letters
from lighthouse.client.log import Log
from lighthouse.client.messages import Messages
from lighthouse.client.proposals import Proposals
from lighthouse.client.reviewing import Reviewing
from lighthouse.client.search import Searching
from lighthouse.client.sessions import Sessions
from lighthouse.client.shadow import ShadowReading
from lighthouse.client.state import State
from lighthouse.client.tasks import Tasks
from lighthouse.client.validations import Validations
from lighthouse.client.versions import Versions


class Client(
    Reviewing,
    Letters,
    State,
    Sessions,
    Log,
    ShadowReading,
    Searching,
    Versions,
    Contexts,
    Proposals,
    Annotations,
    Collaborations,
    Validations,
    Experts,
    Elicitation,
    Leases,
    Tasks,
    Messages,
):
    """A client of the bridge at `base_url` that speaks as the agent of `token`.

    Every method raises BridgeAway while the bridge is gone and works again by itself afterwards; Refused when
    the bridge says no; NotABridge when something else answers. `session_seconds` is the life of the session
    the agent token is exchanged for; None shows the token itself on each request, which suits one question.
    """
