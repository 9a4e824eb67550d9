"""The forms of coming in and of one's own account."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordResetForm,
    UsernameField,
)
from django.core.exceptions import ValidationError

from chatapp.accounts import mail
from chatapp.accounts.models import User


class SignInForm(AuthenticationForm):
    # One sentence for a wrong name, a wrong password, a deactivated and an invited person.
    error_messages = {
        "invalid_login": "That user name and password do not belong together. "
        "Passwords are case-sensitive.",
        "inactive": "That user name and password do not belong together. "
        "Passwords are case-sensitive.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"


class SetupForm(BaseUserCreationForm):
    """The first admin: who, and a password."""

    class Meta:
        model = User
        fields = ("username", "name", "email")
        field_classes = {"username": UsernameField}
        labels = {"username": "User name", "name": "Your name", "email": "E-mail"}
        help_texts = {"username": "You sign in with it.", "email": "For password resets."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = "admin"
        self.fields["password2"].help_text = ""


class AccountForm(forms.ModelForm):
    """Name and e-mail. Another address gets the reset links, so changing it asks who you are."""

    current_password = forms.CharField(
        label="Your password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Only when you change the e-mail address.",
    )

    class Meta:
        model = User
        fields = ("name", "email")
        labels = {"name": "Name", "email": "E-mail"}
        help_texts = {"name": "How your team sees you.", "email": "Where reset links are sent."}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "email" in self.changed_data and not self.instance.check_password(
            cleaned.get("current_password", "")
        ):
            raise ValidationError({"current_password": "Type your password to change the e-mail."})
        return cleaned


class ResetForm(PasswordResetForm):
    """Django's, with links made of PUBLIC_URL, and mail that does not delay the answer."""

    def save(self, **kwargs: Any) -> None:
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
        mail.send_soon(to_email, subject_template_name, email_template_name, context)
