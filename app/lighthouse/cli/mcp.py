"""`lighthouse mcp`: the MCP adapter."""


def mcp() -> None:
    """Serve the MCP tools on standard input and output.

    An agent's client starts it so, see docs/agents.md.

    Bridge and token come from LIGHTHOUSE_BRIDGE_URL and LIGHTHOUSE_TOKEN or LIGHTHOUSE_TOKEN_FILE.
    """
    from lighthouse.mcp_server import main

    main()
