"""Everything about the code that needs no running: `python -m tests.check`, in under a minute."""

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.servers import ROOT

BIN = Path(sys.executable).parent
PRODUCTION = {
    "PRODUCTION": "1",
    "SECRET_KEY": secrets.token_urlsafe(60),
    "PUBLIC_URL": "https://chat.example.com",
    "ALLOWED_HOSTS": "chat.example.com",
    "ANTHROPIC_API_KEY": "unused",
}
MANAGE = [str(BIN / "python"), "manage.py"]
CHECKS = {
    "lint": [str(BIN / "ruff"), "check", "--quiet", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "types": [str(BIN / "mypy"), "--no-error-summary"],
    "import rules": [str(BIN / "lint-imports"), "--no-cache"],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "deployment": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
    "templates": [str(BIN / "djlint"), "--quiet", "--lint", "templates"],
}


def check(name: str) -> tuple[bool, str]:
    env = os.environ | {"ENV_FILE": os.devnull, "PYTHONWARNINGS": "error"}
    if name == "deployment":
        env |= PRODUCTION
    began = time.monotonic()
    done = subprocess.run(CHECKS[name], cwd=ROOT, env=env, capture_output=True, text=True)
    fine = done.returncode == 0
    print(f"{'ok' if fine else 'FAILED':>8}  {name} ({time.monotonic() - began:.0f} s)", flush=True)
    return fine, "" if fine else f"\n--- {name}\n{done.stdout}{done.stderr}"


def main() -> int:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, CHECKS))
    print("".join(text for _, text in results), end="")
    return not all(fine for fine, _ in results)


if __name__ == "__main__":
    sys.exit(main())
