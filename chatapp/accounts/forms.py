"""The forms of coming in and of one's own account."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from chatapp.accounts import mail
from chatapp.accounts.models import User

# What decides on what somebody may do.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class SignInForm(AuthenticationForm):
    # One sentence for a wrong name, a wrong password, a deactivated and an invited person.
    error_messages = dict.fromkeys(
        ("invalid_login", "inactive"),
        _("That user name and password do not belong together. Passwords are case-sensitive."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")


class PasswordWords:
    """One short sentence about passwords, and what is wrong with one beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]
        for name, field in fields.items():
            if name.endswith("password1"):
                field.help_text = _("At least 10 characters, and hard to guess.")
            elif name.endswith("password2"):
                field.label, field.help_text = _("Once more"), ""

    def validate_password_for_user(self, user: User, field: str = "password2") -> None:
        super().validate_password_for_user(user, field.replace("2", "1"))  # type: ignore[misc]


class ChooseForm(PasswordWords, SetPasswordForm):
    pass


class ChangeForm(PasswordWords, PasswordChangeForm):
    pass


class SetupForm(PasswordWords, BaseUserCreationForm):
    """The first admin: who, and a password."""

    class Meta:
        model = User
        fields = ("username", "name", "email")
        field_classes = {"username": UsernameField}
        labels = {"username": _("User name"), "name": _("Your name"), "email": _("E-mail")}
        help_texts = {"username": _("You sign in with it."), "email": _("For password resets.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = "admin"


class InviteForm(forms.ModelForm):
    """A new person in Django admin: no password, since they choose their own."""

    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("Like the browser")), *settings.LANGUAGES],
        required=False,
        help_text=_("Of pages, and of the mail with the link."),
    )

    class Meta:
        model = User
        fields = ("username", "name", "email", "language", "team", "groups")
        field_classes = {"username": UsernameField}
        help_texts = {
            "username": _("They sign in with it. Letters, digits and @ . + - _"),
            "email": _("For password resets, and for the link when this server sends mail."),
            "groups": _("“Spend admins” see what everybody spends."),
        }

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        return super().save(commit)


class PersonForm(forms.ModelForm):
    """Somebody in Django admin, without a password field."""

    class Meta:
        model = User
        fields = ("username", "name", "email", "team", *POWERS)
        field_classes = {"username": UsernameField}
        help_texts = {
            "is_staff": _(
                "May open the administration; what they may do there, the lists below say."
            ),
            "is_superuser": _("May do everything."),
        }
        labels = {"is_staff": _("Administration"), "is_superuser": _("Admin")}


class AccountForm(forms.ModelForm):
    """Name and e-mail. Another address gets the reset links, so changing it asks who you are."""

    current_password = forms.CharField(
        label=_("Your password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Only when you change the e-mail address."),
    )

    class Meta:
        model = User
        fields = ("name", "email")
        labels = {"name": _("Name"), "email": _("E-mail")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "email" in self.changed_data and not self.instance.check_password(
            cleaned.get("current_password", "")
        ):
            raise ValidationError(
                {"current_password": _("Type your password to change the e-mail.")}
            )
        return cleaned


class ResetForm(PasswordResetForm):
    """Django's, with links made of PUBLIC_URL, and mail that does not delay the answer."""

    def save(self, **kwargs: Any) -> None:  # type: ignore[override]
        address = urlsplit(settings.PUBLIC_URL)
        kwargs |= {"domain_override": address.netloc, "use_https": address.scheme == "https"}
        super().save(**kwargs)

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        with override(context["user"].language or get_language()):
            mail.send_soon(to_email, subject_template_name, email_template_name, context)
