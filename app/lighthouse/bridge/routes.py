"""The table of routes: the router, the checks at the door, openapi.json and docs/http.md all come from it."""

from lighthouse.bridge import (
    annotation,
    context,
    diff,
    event,
    experts,
    hooks,
    proposals,
    search,
    session,
    shadow,
    snapshot,
    socket,
    state,
    stream,
    tree,
    update,
    validation,
)
from lighthouse.bridge.call import Route

ROUTES: tuple[Route, ...] = (
    *state.ROUTES,
    *session.ROUTES,
    *event.ROUTES,
    *stream.ROUTES,
    *shadow.ROUTES,
    *search.ROUTES,
    *tree.ROUTES,
    *update.ROUTES,
    *snapshot.ROUTES,
    *diff.ROUTES,
    *context.ROUTES,
    *proposals.ROUTES,
    *annotation.ROUTES,
    *experts.ROUTES,
    *socket.ROUTES,
    *validation.ROUTES,
    *hooks.ROUTES,
)
