"""The walls around this process, as the kernel tells them in /proc: told, not assumed."""

from pathlib import Path

from lighthouse.bridge.schemas import Component, Confinement

_WHOLE_ID_RANGE = 2**32 - 1


def observe(proc: Path = Path("/proc/self")) -> Confinement:
    """What holds for this process now. Where /proc tells nothing, the wall counts as not there."""
    status = dict(line.split(":", 1) for line in _text(proc / "status").splitlines() if ":" in line)
    label = _text(proc / "attr/current").strip("\0\n ") or None
    return Confinement(
        label=label,
        enforced=bool(label and label.endswith("(enforce)")),
        cap_eff=status.get("CapEff", "").strip() or "unknown",
        no_new_privs=status.get("NoNewPrivs", "").strip() == "1",
        seccomp=status.get("Seccomp", "0").strip() != "0",
        user_namespace=_own_user_namespace(_text(proc / "uid_map")),
        read_only_root=_read_only_root(_text(proc / "mounts")),
        interfaces=_interfaces(_text(proc / "net/dev")),
    )


def judge(seen: Confinement, *, required: bool) -> Component:
    """`ok` with the label; `failed` when confinement is required and a wall is missing."""
    missing = [
        name
        for name, stands in (
            ("an enforced AppArmor profile", seen.enforced),
            ("no capabilities", seen.cap_eff.strip("0") == ""),
            ("no-new-privileges", seen.no_new_privs),
            ("a user namespace of its own", seen.user_namespace),
        )
        if not stands
    ]
    if not missing:
        return Component("ok", str(seen.label))
    if required:
        return Component("failed", f"required and missing: {', '.join(missing)}")
    return Component("ok", f"unconfined: without {', '.join(missing)}" if seen.label else "unconfined")


def _own_user_namespace(uid_map: str) -> bool:
    """The initial name space maps all ids onto themselves."""
    lines = [line.split() for line in uid_map.splitlines()]
    return bool(lines) and lines != [["0", "0", str(_WHOLE_ID_RANGE)]]


def _interfaces(net_dev: str) -> list[str]:
    """Read from /proc, for asking the kernel takes a netlink socket, which the profile refuses."""
    return sorted(line.split(":")[0].strip() for line in net_dev.splitlines() if ":" in line)


def _read_only_root(mounts: str) -> bool:
    roots = [line.split()[3] for line in mounts.splitlines() if line.split()[1:2] == ["/"]]
    return bool(roots) and "ro" in roots[-1].split(",")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
