"""People and teams in Django admin: invite, deactivate, erase; nobody is deleted."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.accounts import links, mail
from chatapp.accounts.forms import POWERS, InviteForm, PersonForm
from chatapp.accounts.models import LastAdmin, Team, User
from chatapp.accounts.powers import Powers

admin.site.site_title = "chatapp"
admin.site.site_header = _("chatapp administration")
admin.site.index_title = _("Administration")
admin.site.enable_nav_sidebar = True


class State(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("active", gettext("Active")),
            ("deactivated", gettext("Deactivated")),
            ("erased", gettext("Erased")),
        ]

    def queryset(self, request: HttpRequest, people: QuerySet[User]) -> QuerySet[User]:
        match self.value():
            case "active":
                return people.filter(is_active=True)
            case "deactivated":
                return people.filter(is_active=False, erased_at=None)
            case "erased":
                return people.exclude(erased_at=None)
        return people.filter(erased_at=None)


@admin.register(User)
class PersonAdmin(Powers, UserAdmin):
    form = PersonForm
    add_form = InviteForm
    add_form_template = "admin/accounts/user/invite.html"
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ("username", "name", "email", "team", "state", "last_login")
    list_filter = (State, "team", "is_staff", "groups")
    list_select_related = ("team",)
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    readonly_fields = ("state", "last_login", "date_joined")
    actions = ("deactivate", "reactivate", "erase")
    fieldsets = (
        (None, {"fields": ("username", "name", "email", "team")}),
        (_("What they may do"), {"fields": POWERS}),
        (_("When"), {"fields": ("state", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": InviteForm.Meta.fields}),)

    @admin.display(description=_("State"))
    def state(self, person: User) -> str:
        if person.erased_at:
            return gettext("erased")
        if not person.is_active:
            return gettext("deactivated")
        return gettext("invited") if person.awaited else gettext("active")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return super().has_change_permission(request, obj) and not above

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        # Who is not a superuser may not make one, themselves least of all.
        return fields if _is_superuser(request) else fields + POWERS

    def get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        link = self.admin_site.admin_view(self.link_view)
        ours = [path("<int:pk>/link/", link, name="accounts_user_link")]
        # Not Django's page where an admin types somebody's password: people choose their own.
        theirs = (url for url in super().get_urls() if not str(url.pattern).endswith("password/"))
        return [*ours, *theirs]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        _mail_invitation(request, obj)
        return redirect("admin:accounts_user_link", obj.pk)

    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The link with which somebody chooses a password; POST makes a new one, ending the old."""
        person = self.get_object(request, str(pk))
        if person is None or person.erased_at:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method == "POST":
            person.invite_again()
            self.log_change(request, person, "Made a new link to choose a password.")
            _mail_invitation(request, person)
            return redirect(request.path)
        context = self.admin_site.each_context(request) | {
            "title": gettext("A link for %(name)s") % {"name": person.label},
            "opts": self.opts,
            "original": person,
            "person": person,
            "link": links.invitation(person) if person.awaited else "",
            "mail": mail.configured(),
        }
        return TemplateResponse(request, "admin/accounts/user/link.html", context)

    @admin.action(description=_("Deactivate: no access, everything stays"), permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._below(request, people):
            try:
                person.deactivate()
            except LastAdmin:
                self.message_user(request, _last(person), messages.ERROR)
            else:
                self.log_change(request, person, "Deactivated.")
                self.message_user(
                    request, gettext("%(name)s has no access any more.") % {"name": person.label}
                )

    @admin.action(description=_("Reactivate: access again"), permissions=["change"])
    def reactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._below(request, people).filter(erased_at=None):
            person.reactivate()
            self.log_change(request, person, "Reactivated.")
            self.message_user(
                request, gettext("%(name)s has access again.") % {"name": person.label}
            )

    @admin.action(
        description=_("Erase: name and words go, the spend stays"), permissions=["change"]
    )
    def erase(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        people = self._below(request, people).filter(erased_at=None)
        if request.POST.get("confirmed") != "yes":
            context = self.admin_site.each_context(request) | {
                "title": gettext("Erase people"),
                "opts": self.opts,
                "people": people,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/accounts/user/erase.html", context)
        for person in people:
            try:
                person.erase()
            except LastAdmin:
                self.message_user(request, _last(person), messages.ERROR)
            else:
                self.log_change(request, person, "Erased.")
                words = gettext("Erased; what they spent is kept as %(name)s.")
                self.message_user(request, words % {"name": person.username})
        return None

    def _below(self, request: HttpRequest, people: QuerySet[User]) -> QuerySet[User]:
        return people if _is_superuser(request) else people.filter(is_superuser=False)


admin.site.unregister(Group)


@admin.register(Group)
class OurGroupAdmin(Powers, GroupAdmin):  # type: ignore[misc]
    pass


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "people")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        active = Count("people", filter=Q(people__is_active=True))
        return super().get_queryset(request).annotate(active_people=active)

    @admin.display(description=_("Active people"), ordering="active_people")
    def people(self, team: Any) -> int:
        return team.active_people


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def _last(person: User) -> str:
    return gettext("%(name)s is the last admin.") % {"name": person.label}


def _mail_invitation(request: HttpRequest, person: User) -> None:
    if person.email and mail.configured():
        with person.speaking():
            mail.send_soon(
                person.email,
                "accounts/mail/invitation_subject.txt",
                "accounts/mail/invitation.txt",
                {"person": person, "by": request.user, "link": links.invitation(person)},
            )
        words = gettext("The link was sent to %(address)s.")
        messages.success(request, words % {"address": person.email})
