"""Every setting of chatapp, read once from the environment or .env; docs/settings.md lists them."""

import os
import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")), recurse=False)


def secret(name: str) -> str:
    """The value of NAME, or the contents of the file that NAME_FILE points at, or ""."""
    if path := env.str(f"{name}_FILE", ""):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error}") from error
    return env.str(name, "").strip()


def local_secret_key(path: Path) -> str:
    """A key made at the first start and kept beside the database, so that `make run` asks nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Whole or not at all, and the first of several processes wins.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(draft, "x", opener=partial(os.open, mode=0o600)) as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def own_origins(url: str) -> list[str]:
    """The origins our pages may have: the public URL's, and each name of this machine."""
    parts = urlsplit(url)
    hosts = {parts.hostname or ""}
    if hosts <= LOOPBACK:
        hosts = LOOPBACK
    port = f":{parts.port}" if parts.port else ""
    return sorted(f"{parts.scheme}://{f'[{h}]' if ':' in h else h}{port}" for h in hosts)


# Where and how it runs
PRODUCTION = env.bool("PRODUCTION", False)
DEBUG = env.bool("DEBUG", False)
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var"))).resolve()
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
# The address people type; invitation links and the websocket's origin check are made of it.
PUBLIC_URL = env.str("PUBLIC_URL", f"http://{HOST}:{PORT}").rstrip("/")
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", own_origins(PUBLIC_URL))
# Reverse proxies in front, each of which appends to X-Forwarded-For.
PROXIES = env.int("PROXIES", 0)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
SECRET_KEY = secret("SECRET_KEY")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("PRODUCTION=1 needs SECRET_KEY or SECRET_KEY_FILE.")
    SECRET_KEY = local_secret_key(DATA_DIR / "secret_key")

ROOT_URLCONF = "chatapp.urls"
ASGI_APPLICATION = "chatapp.asgi.application"
INSTALLED_APPS = [
    "chatapp.web",
    "chatapp.accounts",
    "chatapp.pricing",
    "chatapp.ledger",
    "chatapp.claude",
    "chatapp.chat",
    "chatapp.dashboard",
    "channels",
    "axes",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "chatapp.web.headers.headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatapp.web.compression.Compression",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "chatapp.accounts.language.spoken",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "chatapp.web.threads.one_thread",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chatapp.web.notices.context",
            ],
            "builtins": ["chatapp.web.templatetags.web", "chatapp.web.templatetags.icons"],
        },
    }
]

# Database: SQLite in DATA_DIR, or DATABASE_URL=postgres://…
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{DATA_DIR}/db.sqlite3")
DATABASE_POOL = env.int("DATABASE_POOL", 16)
# SQLite takes one transaction at a time: threads in a queue are fairer to each other than its lock.
DATABASE_THREADS = env.int("DATABASE_THREADS", 1 if DATABASE_URL.startswith("sqlite") else 12)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.dj_db_url("DATABASE_URL", DATABASE_URL),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a transaction that reads and then writes must not fail to upgrade its lock.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    from chatapp.web.postgresql import Connection

    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 2,
            "max_size": DATABASE_POOL,
            "timeout": 5,
            # After this the next who asks connects at once; else the pool's pauses double, and it
            # finds a server that was away for 20 s only 10 s after it is back.
            "reconnect_timeout": 2,
            "connection_class": Connection,
        },
        "options": "-c statement_timeout=15s -c lock_timeout=3s "
        "-c idle_in_transaction_session_timeout=8s",
        "connect_timeout": 3,
        "tcp_user_timeout": 4000,
        "keepalives_idle": 5,
    }

# Between processes: Redis publish/subscribe, or one process' memory
REDIS_URL = env.str("REDIS_URL", "")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
if REDIS_URL:
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [
                {"address": REDIS_URL, "socket_timeout": 1, "socket_connect_timeout": 1},
            ]
        },
    }

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 14 * 24) * 3600
# An address that fails this often has to wait, whomever it tried to be. A success in between
# forgives nothing, or one known password would buy guesses at all others.
AXES_FAILURE_LIMIT = env.int("SIGN_IN_FAILURES", 10)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_RESET_ON_SUCCESS = False
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
EMAIL_URL = env.str("EMAIL_URL", "console:")
_mail = env.dj_email_url("EMAIL_URL", EMAIL_URL)
if "EMAIL_BACKEND" not in _mail:
    # Django would quietly take SMTP on this host, or SMTP without TLS.
    raise ImproperlyConfigured("EMAIL_URL begins with submission:// (TLS), smtp:// or console:")
vars().update(_mail)
EMAIL_TIMEOUT = _mail["EMAIL_TIMEOUT"] or 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "chatapp@localhost")

# Budgets: where marks and requests for more are told besides by mail
BUDGET_WEBHOOK_URL = env.str("BUDGET_WEBHOOK_URL", "")
BUDGET_WEBHOOK_SECRET = secret("BUDGET_WEBHOOK_SECRET")
if BUDGET_WEBHOOK_URL and not BUDGET_WEBHOOK_SECRET:
    raise ImproperlyConfigured("BUDGET_WEBHOOK_URL needs BUDGET_WEBHOOK_SECRET, to sign with.")
# Whether it may be an address of this machine or of a private network.
BUDGET_WEBHOOK_PRIVATE = env.bool("BUDGET_WEBHOOK_PRIVATE", False)

# Anthropic
ANTHROPIC_API_KEY = secret("ANTHROPIC_API_KEY")
# Only `manage.py reconcile` needs these: an Admin key, and the id of the key above.
ANTHROPIC_ADMIN_KEY = secret("ANTHROPIC_ADMIN_KEY")
ANTHROPIC_API_KEY_ID = env.str("ANTHROPIC_API_KEY_ID", "")
ANTHROPIC_BASE_URL = env.str("ANTHROPIC_BASE_URL", "https://api.anthropic.com").rstrip("/")
# Without a key replies come from the bundled stand-in, and their charges have source "demo".
DEMO = not ANTHROPIC_API_KEY
# How much faster than Claude the stand-in writes.
DEMO_SPEED = env.float("DEMO_SPEED", 1.0)
DEFAULT_MODEL = env.str("DEFAULT_MODEL", "claude-haiku-4-5")
DEFAULT_MAX_TOKENS = env.int("DEFAULT_MAX_TOKENS", 4096)
# A call without a price holds no money: no hard budget can let it through.
SEND_UNPRICED = env.bool("SEND_UNPRICED", False)
FIRST_BYTE_TIMEOUT = env.float("FIRST_BYTE_TIMEOUT", 60.0)
IDLE_TIMEOUT = env.float("IDLE_TIMEOUT", 60.0)
TOTAL_TIMEOUT = env.float("TOTAL_TIMEOUT", 900.0)
QUEUE_TIMEOUT = env.float("QUEUE_TIMEOUT", 60.0)
LEASE_SECONDS = env.float("LEASE_SECONDS", 30.0)
# Whether this process writes replies; where not, `manage.py generation_worker` does.
GENERATIONS = env.bool("GENERATIONS", True)

# Languages and time. Days on the dashboard and budgets are days of TIME_ZONE; storage is UTC.
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True
# Those our own texts exist in, each by its own name.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# Files
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
# Private files: what people attach. No address leads into this folder.
MEDIA_ROOT = Path(env.str("MEDIA_DIR", str(DATA_DIR / "media")))
# A temporary chat's words are removed after so long.
TEMPORARY_HOURS = env.int("TEMPORARY_HOURS", 24)
# Who may read a shared chat: "members" (signed in here), "anyone" with its link, or nobody: "off".
SHARE_LINKS = env.str(
    "SHARE_LINKS", "members", validate=validate.OneOf(["members", "anyone", "off"])
)
ATTACHMENTS = env.int("ATTACHMENTS", 10)
ATTACHMENT_BYTES = env.int("ATTACHMENT_BYTES", 10_000_000)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
FILE_UPLOAD_PERMISSIONS = 0o600
# Bytes of a request's body.
MAX_BODY = DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY", 1_048_576)

# What a browser may do with our pages. S31 of the security matrix; Trusted Types name one policy.
_socket = "wss" if PUBLIC_URL.startswith("https") else "ws"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, f"{_socket}://{urlsplit(PUBLIC_URL).netloc}"],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["chatapp", "default"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^healthz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOG_JSON = env.bool("LOG_JSON", PRODUCTION)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "line": {
            "()": "chatapp.web.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json" if LOG_JSON else "line"}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # These would write request bodies, prompts or a line per request.
    "loggers": {
        "anthropic": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "daphne": {"level": "WARNING"},
        # A traceback a second while Redis is away; the relay says it in a line.
        "channels_redis": {"level": "CRITICAL"},
    },
}
