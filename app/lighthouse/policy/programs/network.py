"""What goes over the network: curl, wget and their kin, sockets."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from lighthouse.policy.programs.arguments import Arguments
from lighthouse.policy.programs.invocation import Invocation, host_place
from lighthouse.policy.programs.services import DESTROYS
from lighthouse.policy.shell.marks import ANY, is_open, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output

_BODY = (
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--json",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--post-data",
    "--post-file",
    "--body-data",
    "--body-file",
)
_WRITES = frozenset(
    (
        *(
            "-o",
            "--output",
            "-O",
            "--output-document",
            "--output-dir",
            "--dump-header",
            "--cookie-jar",
            "--trace",
        ),
        *(
            "--trace-ascii",
            "--stderr",
            "--etag-save",
            "--hsts",
            "--alt-svc",
            "--output-file",
            "--append-output",
        ),
        *("--libcurl", "--save-cookies", "--rejected-log", "--warc-file", "-P", "--directory-prefix"),
    )
)
_SENDS_FILE = re.compile(r"(?:^|=)[@<](?!-)(.+)")
_READ_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# Where data stores and a machine's control listen: a change there is no test of a web page.
_STORES = frozenset(
    (
        2375,
        2376,
        2379,
        5984,
        6333,
        6443,
        7474,
        7700,
        8086,
        8108,
        8123,
        8200,
        8500,
        9000,
        9200,
        9201,
        9300,
        10250,
        15672,
        27017,
    )
)
_NETWORK = frozenset(("network",))
_READING_ENDPOINT = re.compile(
    r"/(?:_search|_count|_msearch|_analyze|_validate/query|search|query|graphql)(?:\?|/?$)|/_search\b"
)


def _curl(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    body = [value or "" for name, value in arguments.options if name in _BODY]
    method = (literal(arguments.value("-X", "--request", "--method") or "")).upper()
    if not method:
        method = (
            "PUT"
            if arguments.has("-T", "--upload-file")
            else "POST"
            if body and not arguments.has("-G", "--get")
            else "GET"
        )
    for name, value in arguments.options:
        _option(call, name, value or "")
    urls = [literal(url) for url in arguments.operands]
    urls += [literal(value or "") for name, value in arguments.options if name == "--url"]
    for url in urls:
        if (arguments.has("-O", "--remote-name") and call.name == "curl") or call.name == "wget":
            call.state.written[url.rpartition("/")[2]] = ANY
        request(call, method, url, " ".join(body), uploads=any(map(_is_file, arguments.options)))
    return Output(ANY, _NETWORK)


def _is_file(option: tuple[str, str | None]) -> bool:
    name, value = option
    if name in ("-T", "--upload-file", "--post-file", "--body-file"):
        return True
    return name in _BODY and name != "--data-raw" and _SENDS_FILE.search(value or "") is not None


def _option(call: Invocation, name: str, value: str) -> None:
    if name in ("-T", "--upload-file", "--post-file", "--body-file"):
        call.role("read", value)
    elif name in _BODY and name != "--data-raw" and (match := _SENDS_FILE.search(value)):
        call.role("read", match[1].partition(";")[0])
    elif value and (name in _WRITES or (name, call.name) in (("-D", "curl"), ("-c", "curl"), ("-a", "wget"))):
        call.role("write", value)
        call.state.written[value] = ANY
    elif name in ("--unix-socket", "--abstract-unix-socket"):
        call.uncertain("speaks to whatever listens on a socket")
    elif name in ("-K", "--config", "-i", "--input-file", "--netrc-file"):
        call.role("read", value)
        if name in ("-K", "--config"):
            call.uncertain("its options stand in a file")
    elif name in ("-Q", "--quote", "--connect-to", "--resolve", "--dns-servers") and call.name == "curl":
        call.uncertain(f"{name} makes the request go elsewhere, or do more")
    elif name in ("--use-askpass", "--use-server-timestamps", "--execute", "-e") and call.name == "wget":
        call.uncertain(f"{name} sets what it runs")
    elif (
        name in ("-x", "--proxy", "--preproxy", "--socks5", "--socks4", "--socks5-hostname")
        and host_place(_host(value)) != "local"
    ):
        call.uncertain("sends everything through a proxy")


def request(call: Invocation, method: str, url: str, body: str, *, uploads: bool = False) -> None:
    """Tell what an HTTP request does by its method, its host and the words of its path."""
    host = _host(url)
    target = f"{method} {shown(url)}"[:200]
    if url.startswith("file:"):
        call.role("read", url.removeprefix("file://"))
        return
    if not host or is_open(host):
        call.act("send:unknown" if method not in _READ_METHODS else "fetch:unknown", target)
        return
    place = host_place(host)
    if method in _READ_METHODS and not body:
        if place == "remote" and is_open(url):
            call.act("send:remote", target, detail="a part of the address is only known when it runs")
        else:
            call.act(f"fetch:{place}", target)
    elif method not in ("POST", "PUT", "PATCH", *_READ_METHODS) or _destroys(url, body):
        call.act(f"destroy:{place}", target, detail=f"a {method} request")
    elif method == "POST" and _READING_ENDPOINT.search(url) and place == "local":
        call.act("query:local", target)
    elif uploads or ANY in body:
        call.act(f"send:{place}", target, detail="sends what stands in files or variables")
    elif place == "local" and _port(url) in _STORES:
        call.act("change:local", target, detail=f"a {method} request to a data store")
    else:
        call.act("send:local" if place == "local" else "change:remote", target, detail=f"a {method} request")


def _destroys(url: str, body: str) -> bool:
    path = urlsplit(url if "://" in url else f"http://{url}").path if "[" not in url else url
    words = re.split(r"[^a-z]+", f"{path} {body}".lower())
    return any(word in DESTROYS for word in words) or bool(
        re.search(r"\bdrop\s+(?:table|database)|truncate\s+table", body, re.IGNORECASE)
    )


def _host(url: str) -> str:
    match = re.match(r"(?:[a-zA-Z][\w+.-]*://)?(?:[^/@\s]*@)?(\[[^\]]*\]|[^/:?#\s]*)", url)
    return match[1] if match else ""


def _port(url: str) -> int:
    match = re.match(r"(?:[a-zA-Z][\w+.-]*://)?[^/]*?:(\d+)(?:/|$)", url)
    return int(match[1]) if match else 80


def _wget(call: Invocation) -> Output:
    arguments = call.arguments
    if not arguments.has("-O", "--output-document", "--spider"):
        prefix = arguments.value("-P", "--directory-prefix") or "."
        call.role("write", f"{prefix}/download")
    call_output = _curl(call)
    return (
        call_output
        if arguments.value("-O", "--output-document") == "-" or arguments.has("-qO-", "-O-")
        else SOMETHING
    )


def _httpie(call: Invocation) -> Output:
    words = [literal(word) for word in call.arguments.operands]
    method = (
        words.pop(0).upper()
        if words and words[0].upper() in (*_READ_METHODS, "POST", "PUT", "PATCH", "DELETE")
        else ""
    )
    items = words[1:]
    if not method:
        method = "POST" if any(re.search(r"[^=:]=|:=|@", item) for item in items) else "GET"
    for item in items:
        if match := re.search(r"@(.+)$", item):
            call.role("read", match[1])
    for url in words[:1]:
        request(
            call,
            method,
            url if not url.startswith(":") else f"localhost{url}",
            " ".join(items),
            uploads=any("@" in item for item in items),
        )
    return Output(ANY, _NETWORK)


def _lookup(call: Invocation) -> Output:
    """A name that is asked for travels: one made of other output may carry it away."""
    for option in ("-f", "-F", "-b", "--filename"):
        if call.name in ("dig", "mtr", "host", "ss") and (file := call.arguments.value(option)):
            call.role("read", file)
    open_words = any(map(is_open, call.words))
    call.act("send:remote" if open_words else "fetch:remote", " ".join(map(literal, call.words))[:200])
    return SOMETHING


def _netcat(call: Invocation) -> Output:
    arguments = call.arguments
    for name, value in arguments.options:
        if name in ("-e", "-c", "--exec", "--sh-exec", "--lua-exec"):
            call.act("exfiltrate:remote", literal(value or ""), detail="gives another machine a shell")
            return SOMETHING
    if arguments.has("-z"):
        call.act(
            f"fetch:{host_place(arguments.operands[0]) if arguments.operands else 'local'}",
            " ".join(arguments.operands),
        )
        return SOMETHING
    place = (
        host_place(arguments.operands[0])
        if arguments.operands and not arguments.has("-l", "--listen")
        else "remote"
    )
    call.act(f"send:{place}", " ".join(map(literal, call.words)), detail="an open connection")
    return Output(ANY, _NETWORK)


def _socat(call: Invocation) -> Output:
    for word in map(literal, call.arguments.operands):
        if re.match(r"(?i)exec:|system:", word):
            call.act("exfiltrate:remote", word, detail="gives another machine a shell")
    call.act("send:remote", " ".join(map(literal, call.words)), detail="an open connection")
    return Output(ANY, _NETWORK)


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "curl": _curl,
    "wget": _wget,
    "httpie": _httpie,
    "lookup": _lookup,
    "netcat": _netcat,
    "socat": _socat,
}
__all__ = ["HANDLERS", "Arguments", "request"]
