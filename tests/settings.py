"""chatapp's settings for tests: an environment of their own, whatever the developer's says."""

import atexit
import os
import shutil
import tempfile

KEPT = {"DATABASE_URL", "REDIS_URL", "LOG_LEVEL"}
FOREIGN = {
    *("ALLOWED_HOSTS", "DEBUG", "DEFAULT_MODEL", "EMAIL_URL", "HOST", "LANGUAGE_CODE", "PORT"),
    *("PRODUCTION", "PUBLIC_URL", "SECRET_KEY", "SECRET_KEY_FILE", "TIME_ZONE"),
}
for name in list(os.environ):
    if name in FOREIGN or name.startswith("ANTHROPIC_"):
        del os.environ[name]

_data = tempfile.mkdtemp(prefix="chatapp-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ |= {"ENV_FILE": os.devnull, "DATA_DIR": _data, "SECRET_KEY": "only-for-tests" * 4}
os.environ |= {"EMAIL_URL": "memory:", "LOG_JSON": "0"}

from chatapp.settings import *  # noqa: E402, F403
from chatapp.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

# WhiteNoise warns of a missing folder, and warnings are errors.
STATIC_ROOT.mkdir()

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Pages render from static/ as it is; the hashed names are tested where they are made.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, since threads and processes share it as they do in service.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_chatapp_{os.getpid()}"}
