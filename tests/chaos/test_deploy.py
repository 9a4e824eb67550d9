"""The files of deploy/ say the same things in each of their languages."""

import re
from urllib.parse import urlsplit

import yaml

from tests.chaos.cluster import DEPLOY, environment, procfile

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = {path.name: path.read_text() for path in DEPLOY.glob("*.service")}


def test_compose_runs_the_commands_of_the_procfile() -> None:
    ours = [
        service["command"].split()[1:]
        for service in COMPOSE["services"].values()
        if service["image"] == "chatapp"
    ]
    assert sorted(map(tuple, ours)) == sorted(
        tuple(procfile()[name][1:]) for name in ("setup", "web", "web", "worker")
    )


def test_units_run_the_commands_of_the_procfile_and_wait_for_the_drain() -> None:
    ran = {re.search(r"^ExecStart=\S+python (.+)$", u, re.M)[1] for u in UNITS.values()}  # type: ignore[index]
    assert ran == {" ".join(command[1:]) for command in procfile().values()}
    assert COMPOSE["services"]["web1"]["stop_grace_period"] == "40s"
    for name, unit in UNITS.items():
        assert ("TimeoutStopSec=40" in unit) == ("setup" not in name)


def test_compose_changes_only_settings_that_chatapp_env_has() -> None:
    assert COMPOSE["x-chatapp"]["environment"].keys() <= environment().keys()


def test_compose_and_systemd_have_the_same_upstream() -> None:
    inline = COMPOSE["configs"]["upstream"]["content"]
    ours = (DEPLOY / "nginx-upstream.conf").read_text()
    plain = [re.sub(r"server \S+", "server", text) for text in (inline, ours.partition("\n")[2])]
    assert plain[0] == plain[1]


def test_the_database_s_role_is_no_superuser() -> None:
    role = urlsplit(COMPOSE["x-chatapp"]["environment"]["DATABASE_URL"]).username
    postgres = COMPOSE["services"]["postgres"]
    assert postgres["environment"].get("POSTGRES_USER", "postgres") != role
    made = COMPOSE["configs"]["role"]["content"].splitlines()
    assert made == [f"CREATE ROLE {role} LOGIN;", f"CREATE DATABASE chatapp OWNER {role};"]
