"""All settings, from the environment. docs/settings.md explains each; embedded mode is what you get with none set."""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from dashboard import environment as env
from dashboard.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = env.data_folder(BASE_DIR / "var")

SECRET_KEY = env.kept_secret("SECRET_KEY", DATA, "django")
DERMAGA_ENCRYPTION_KEY = env.kept_secret("DERMAGA_ENCRYPTION_KEY", DATA, "fernet")
DEBUG = env.flag("DEBUG")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", "127.0.0.1,::1")
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOGGING = logging_config(LOG_FORMAT, env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")))
LOGGING_CONFIG = "dashboard.logs.configure"

DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.redis_url("REDIS_URL")
EMBEDDED = not REDIS_URL

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # its widget templates, which our form renderer overrides
    "channels",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "common",
    "accounts",
    "jobs",
    "hosts",
    "api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "common.static_files.StaticFilesMiddleware",
    "common.middleware.PackMiddleware",
    "common.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "common.middleware.NulMiddleware",
    "accounts.guard.GuardMiddleware",
    "common.middleware.ErrorMiddleware",
]
ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.rights",
                "hosts.context.navigation",
            ],
            "builtins": [
                "common.templatetags.icons",
                "common.templatetags.sparks",
                "common.templatetags.ui",
                "common.templatetags.tables",
            ],
        },
    }
]

# ---------------------------------------------------------------- database
if DATABASE_URL:
    try:
        if DATABASE_URL.partition("://")[0] not in environ.Env.DB_SCHEMES:
            raise ValueError("unknown scheme")
        DATABASES: dict[str, Any] = {"default": environ.Env.db_url_config(DATABASE_URL)}
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        raise ImproperlyConfigured("DATABASE_URL is not a database address like postgres://user@host/name.") from error
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA / "dermaga.sqlite3")}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: two writers wait for each other instead of failing when a read turns into a write
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
    # A file, not memory: the tests' threads, sockets and watcher share it as the product's do
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- messages between processes
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "dermaga"},
        }
    }
    CACHES: dict[str, Any] = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_TASK_IGNORE_RESULT = True  # a job's row holds its result
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"  # jobs wait for engines: threads are enough, and cancelling needs no second process
JOBS_AT_ONCE = env.number("JOBS_AT_ONCE", 8, 1, 200)
CELERY_WORKER_CONCURRENCY = JOBS_AT_ONCE + 4  # these for the product's own tasks (jobs.places)
CELERY_BEAT_SCHEDULER = "dashboard.pulse:BeatScheduler"
CELERY_BEAT_SCHEDULE = {
    "recover-jobs": {"task": "jobs.recover", "schedule": 5.0},
    "run-schedules": {"task": "jobs.run_schedules", "schedule": 10.0},
    "forget-old-jobs": {"task": "jobs.forget_old", "schedule": 3600.0},
    "forget-old-uploads": {"task": "jobs.forget_old_uploads", "schedule": 3600.0},
    "forget-old-sessions": {"task": "accounts.forget_old_sessions", "schedule": 3600.0},
    "forget-old-audit": {"task": "accounts.forget_old_audit", "schedule": 3600.0},
    "forward-audit": {"task": "hosts.forward_audit", "schedule": 2.0},
    "forget-old-recordings": {"task": "hosts.forget_old_recordings", "schedule": 3600.0},
    "forget-old-events": {"task": "hosts.forget_old_events", "schedule": 3600.0},
    "sweep-backups": {"task": "hosts.sweep_backups", "schedule": 60.0},
    "roll-up-stats": {"task": "hosts.roll_up_stats", "schedule": 60.0},
    "put-back": {"task": "hosts.put_back", "schedule": 10.0},
    "forget-old-stats": {"task": "hosts.forget_old_stats", "schedule": 3600.0},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # PostgreSQL notes its tables' sizes by itself
    CELERY_BEAT_SCHEDULE["note-sizes"] = {"task": "hosts.note_sizes", "schedule": 30.0}

# ---------------------------------------------------------------- people
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/account/login/"
ACCOUNT_USER_DISPLAY = "accounts.adapter.display_name"
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/5m/ip,5/5m/key"}
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.second_factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.second_factor_forms.ConfirmForm",
    "activate_totp": "accounts.second_factor_forms.ActivateForm",
    "add_webauthn": "accounts.passkey_forms.AddForm",
    "edit_webauthn": "accounts.passkey_forms.EditForm",
    "authenticate_webauthn": "accounts.passkey_forms.AuthenticateForm",
    "login_webauthn": "accounts.passkey_forms.LoginForm",
    "reauthenticate_webauthn": "accounts.passkey_forms.ConfirmForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # each login asks twice
MFA_TOTP_ISSUER = "Dermaga"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# an OpenID provider: docs/logins.md
OIDC_ISSUER = env.issuer("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
OIDC_NAME = env.text("OIDC_NAME", "single sign-on")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile email").split()
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_TEAMS = env.groups("OIDC_TEAMS")
OIDC_NEW_ACCOUNTS = env.choice("OIDC_NEW_ACCOUNTS", "mapped", ("mapped", "anybody", "nobody"))
OIDC_IS_SECOND_FACTOR = env.flag("OIDC_IS_SECOND_FACTOR")
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_CLIENT_ID, by which the provider knows Dermaga.")
# a directory: docs/logins.md
LDAP_URL = env.directory("LDAP_URL")
LDAP_NAME = env.text("LDAP_NAME", "The directory")
LDAP_BIND_DN, LDAP_BIND_PASSWORD = env.text("LDAP_BIND_DN"), env.text("LDAP_BIND_PASSWORD")
LDAP_CA = env.text("LDAP_CA")
LDAP_USERS = env.text("LDAP_USERS")
LDAP_USER_FILTER = env.ldap_filter("LDAP_USER_FILTER", "(uid=%s)")
LDAP_KEY = env.text("LDAP_KEY", "entryUUID")
LDAP_LOGIN, LDAP_EMAIL = env.text("LDAP_LOGIN", "uid"), env.text("LDAP_EMAIL", "mail")
LDAP_GROUPS_ATTRIBUTE = env.text("LDAP_GROUPS_ATTRIBUTE", "memberOf")
LDAP_GROUPS = env.text("LDAP_GROUPS")
LDAP_GROUP_FILTER = env.ldap_filter("LDAP_GROUP_FILTER", "(member=%s)")
LDAP_TEAMS = env.groups("LDAP_TEAMS")
LDAP_NEW_ACCOUNTS = env.choice("LDAP_NEW_ACCOUNTS", "mapped", ("mapped", "anybody", "nobody"))
if LDAP_URL and not (LDAP_USERS and LDAP_BIND_DN and LDAP_BIND_PASSWORD):
    raise ImproperlyConfigured("LDAP_URL needs LDAP_USERS, LDAP_BIND_DN and LDAP_BIND_PASSWORD.")
# a link to a new password is mailed where this is set
EMAIL_URL = env.email_url("EMAIL_URL")
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "dermaga@localhost")
vars().update(environ.Env.email_url_config(EMAIL_URL or "dummymail://"), EMAIL_TIMEOUT=20)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("HTTPS")
if env.flag("HTTPS"):
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# ---------------------------------------------------------------- languages, time, files
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("id", _("Indonesian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.zone("TZ", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "collected"
_packages = {
    "vendor/xterm": "@xterm/xterm",
    "vendor/xterm-addon-fit": "@xterm/addon-fit",
    "vendor/uplot": "uplot/dist",
    "vendor/idiomorph": "idiomorph/dist",
}
STATICFILES_DIRS: list[Any] = [
    BASE_DIR / "static",
    *([BASE_DIR / "build" / "static"] if (BASE_DIR / "build" / "static").is_dir() else []),
    *(
        (prefix, BASE_DIR / "node_modules" / folder)
        for prefix, folder in _packages.items()
        if (BASE_DIR / "node_modules" / folder).is_dir()
    ),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "common.static_files.HashedStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a container's form has 17 fields for each mount
# on the disk of the data folder, so that a file is kept by moving it; /tmp may be memory
UPLOADS = FILE_UPLOAD_TEMP_DIR = DATA / "uploads"
UPLOADS.mkdir(mode=0o700, exist_ok=True)

# ---------------------------------------------------------------- Dermaga's own
DERMAGA_ADMIN_PASSWORD = env.text("DERMAGA_ADMIN_PASSWORD")
DOCKER_HOST = env.text("DOCKER_HOST")
JOBS_AT_ONCE_ON_A_HOST = env.number("JOBS_AT_ONCE_ON_A_HOST", 4, 1, 200)
UPLOADS_KEPT_HOURS = env.number("UPLOADS_KEPT_HOURS", 24, 1, 8760)
JOBS_KEPT_DAYS = env.number("JOBS_KEPT_DAYS", 90, 1, 3650)
DERMAGA_BACKUP_FOLDERS = env.folders("DERMAGA_BACKUP_FOLDERS")
RESTORE_AT_MOST_GIB = env.number("RESTORE_AT_MOST_GIB", 100, 1, 1_000_000)
AUDIT_KEPT_DAYS = env.number("AUDIT_KEPT_DAYS", 0, 0, 36500)
TERMINALS_RECORDED = env.label("TERMINALS_RECORDED")
RECORDINGS_KEPT_DAYS = env.number("RECORDINGS_KEPT_DAYS", 90, 0, 36500)
RECORDINGS_MB = env.number("RECORDINGS_MB", 2048, 1, 10_000_000)
EVENTS_KEPT_DAYS = env.number("EVENTS_KEPT_DAYS", 7, 1, 3650)
DISK_EVERY_MINUTES = env.number("DISK_EVERY_MINUTES", 30, 1, 10_080)
RESYNC_SECONDS = env.number("RESYNC_SECONDS", 60, 5, 3600)
STATS_EVERY_SECONDS = env.number("STATS_EVERY_SECONDS", 30, 5, 3600)
STATS_SAMPLES_PER_MINUTE = env.number("STATS_SAMPLES_PER_MINUTE", 120, 1, 60_000)
STATS_RAW_KEPT_HOURS = env.number("STATS_RAW_KEPT_HOURS", 24, 3, 720)
STATS_MINUTES_KEPT_DAYS = env.number("STATS_MINUTES_KEPT_DAYS", 14, 1, 3650)
STATS_QUARTERS_KEPT_DAYS = env.number("STATS_QUARTERS_KEPT_DAYS", 400, 1, 3650)
STATS_DAYS_KEPT_DAYS = env.number("STATS_DAYS_KEPT_DAYS", 1825, 1, 36500)
