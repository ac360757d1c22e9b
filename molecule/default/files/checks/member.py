#!/usr/bin/python3
"""A member of the team: an MCP client with an adapter of its own, which calls what it is told to.

The first line on standard input says how to start the adapter, each other one is a call. Answers go to standard
output, each with its call's number; calls that wait do not hold up others. Ends with its input.
"""

import asyncio
import json
import sys


def say(**told):
    print(json.dumps(told), flush=True)


def failed(result):
    return bool(getattr(result, "is_error", getattr(result, "isError", False)))


async def call(session, number, tool, arguments):
    try:
        result = await session.call_tool(tool, arguments)
    except Exception as error:
        say(number=number, error=f"{type(error).__name__}: {error}")
        return
    text = " ".join(block.text for block in result.content if block.type == "text")
    say(number=number, **({"error": text} if failed(result) else {"answer": json.loads(text)}))


async def main():
    told = json.loads(sys.stdin.readline())
    sys.path[:0] = told["library"]
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *arguments = told["adapter"]
    server = StdioServerParameters(command=program, args=arguments, env=told["environment"])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        say(number=0, answer=sorted(tool.name for tool in (await session.list_tools()).tools))
        calls = set()
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            task = asyncio.create_task(call(session, asked["number"], asked["tool"], asked["arguments"]))
            calls.add(task)
            task.add_done_callback(calls.discard)
        for task in calls:
            task.cancel()


asyncio.run(main())
