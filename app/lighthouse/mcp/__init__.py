"""The MCP adapter: what the bridge can do, as tools for an agent's client; its only state is its session."""
