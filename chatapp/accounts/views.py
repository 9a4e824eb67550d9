"""Coming in and going out; each person's own account."""

import uuid
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.generic import CreateView, UpdateView

from chatapp.accounts import links, mail, throttle
from chatapp.accounts.forms import (
    AccountForm,
    ChangeForm,
    ChooseForm,
    ResetForm,
    SetupForm,
    SignInForm,
)
from chatapp.accounts.models import User
from chatapp.accounts.signals import access_ended

BACKEND = "django.contrib.auth.backends.ModelBackend"
YEAR = 365 * 24 * 3600
THEMES = {"light", "dark"}


class SignIn(auth.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            mail=mail.configured(), nobody=not User.objects.exists(), **kwargs
        )


class SignOut(auth.LogoutView):
    """Drafts kept in the browser go too."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"storage"'
        return response


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's own sign-in page is ours; who is in already and gets here may not enter."""
    if request.user.is_authenticated:
        raise Http404
    return redirect(f"{reverse_lazy('accounts:login')}?{request.GET.urlencode()}")


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class Setup(CreateView):
    """The one-time page that makes the first admin."""

    template_name = "accounts/setup.html"
    form_class = SetupForm
    success_url = "/"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not links.opens_setup(kwargs["token"]) or User.objects.admins().exists():
            return self.gone()
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        person = form.save(commit=False)
        if not person.save_as_first_admin():
            return self.gone()
        login(self.request, person, BACKEND)
        return HttpResponseRedirect(self.success_url)

    def gone(self) -> HttpResponse:
        return render(self.request, "accounts/link_gone.html", {"setup": True}, status=404)


class ChoosePassword(auth.PasswordResetConfirmView):
    """A reset link's page. The address names the person by their public id."""

    template_name = "accounts/choose_password.html"
    form_class = ChooseForm
    success_url = "/"
    post_reset_login = True
    post_reset_login_backend = BACKEND

    def get_user(self, uidb64: str) -> User | None:
        try:
            return User.objects.active().filter(public_id=uuid.UUID(uidb64)).first()
        except ValueError:
            return None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        access_ended.send(sender=User, person=self.user)
        return response

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if not context["validlink"]:
            return render(self.request, "accounts/link_gone.html", status=404)
        return super().render_to_response(context, **kwargs)


class AcceptInvitation(ChoosePassword):
    """An invitation's page: the same, for who has no password yet."""

    token_generator = links.invitations
    reset_url_token = "welcome"  # noqa: S105
    extra_context = {"invited": True}


class PasswordAsked:
    """Twenty tries an hour: who found an open browser must not guess the password in it."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not throttle.allowed("password", str(request.user.pk), limit=20):
            return render(request, "accounts/locked.html", status=429)
        return super().post(request, *args, **kwargs)  # type: ignore[misc]


class ChangePassword(PasswordAsked, auth.PasswordChangeView):
    """Changing it signs every other browser out; this one stays in."""

    template_name = "accounts/change_password.html"
    form_class = ChangeForm
    success_url = reverse_lazy("accounts:account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        access_ended.send(sender=User, person=self.request.user)
        messages.success(
            self.request, _("Your password is changed. Other browsers are signed out.")
        )
        return response


class ResetPassword(auth.PasswordResetView):
    """Asks for an address and says the same whether somebody has it or not."""

    template_name = "accounts/reset_password.html"
    form_class = ResetForm
    success_url = reverse_lazy("accounts:password_reset_done")
    subject_template_name = "accounts/mail/reset_subject.txt"
    email_template_name = "accounts/mail/reset.txt"
    extra_context = {"mail": mail.configured}

    def form_valid(self, form: Any) -> HttpResponse:
        address = sha256(form.cleaned_data["email"].lower().encode()).hexdigest()
        sender = self.request.META.get("REMOTE_ADDR", "")
        if not throttle.allowed("reset-from", sender, limit=20):
            return render(self.request, "accounts/locked.html", status=429)
        if not throttle.allowed("reset-to", address, limit=5):
            return HttpResponseRedirect(str(self.success_url))
        return super().form_valid(form)


@method_decorator(never_cache, name="dispatch")
class Account(LoginRequiredMixin, PasswordAsked, UpdateView):
    template_name = "accounts/account.html"
    form_class = AccountForm
    success_url = reverse_lazy("accounts:account")

    def get_object(self, queryset: Any = None) -> User:
        # Not request.user: a refused form must not change the name in the page's header.
        return User.objects.get(pk=self.request.user.pk)

    def form_valid(self, form: Any) -> HttpResponse:
        form.save()
        messages.success(self.request, _("Saved."))
        return HttpResponseRedirect(str(self.success_url))


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie; anything else follows the device again."""
    choice = request.POST.get("theme", "")
    return _kept(request, "theme", choice if choice in THEMES else "")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language with the person, and in a cookie for when nobody is signed in."""
    chosen = request.POST.get("language", "")
    chosen = chosen if chosen in dict(settings.LANGUAGES) else ""
    if isinstance(request.user, User):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return _kept(request, settings.LANGUAGE_COOKIE_NAME, chosen)


def _kept(request: HttpRequest, name: str, choice: str) -> HttpResponse:
    """Back to where they were, with this choice in a cookie, or with none."""
    response = HttpResponseRedirect(_safe(request, request.POST.get("next", "")))
    if choice:
        response.set_cookie(
            name, choice, YEAR, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    else:
        response.delete_cookie(name)
    return response


def _safe(request: HttpRequest, address: str) -> str:
    ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if ours else "/"
