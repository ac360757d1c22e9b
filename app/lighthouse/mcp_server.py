"""`lighthouse mcp` and `python -m lighthouse.mcp_server`: the MCP adapter over standard input and output."""

import gc
import os


def main() -> None:
    """Serve until standard input ends."""
    # Importing the SDK makes a million objects that stay: collecting among them costs a tenth of the start.
    gc.disable()
    from lighthouse.mcp.adapter import build

    server = build(os.environ)
    gc.freeze()
    gc.enable()
    try:
        server.run()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
