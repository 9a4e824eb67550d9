"""People: invited, deactivated, erased, never deleted; who may do that in admin."""

import threading
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core import mail as outbox
from django.db import IntegrityError, connection, transaction
from django.test import Client

from chatapp.accounts import links, mail
from chatapp.accounts.groups import SPEND_ADMINS
from chatapp.accounts.models import LastAdmin, NeverDeleted, Team, User
from chatapp.accounts.signals import access_ended, person_erased
from tests.servers import PASSWORD

pytestmark = pytest.mark.once

PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def office(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def clerk(db: None) -> User:
    """May change people, and is no superuser."""
    clerk = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    codenames = ["add_user", "change_user", "view_user"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return clerk


def act(client: Client, action: str, *people: User, **more: str) -> Any:
    form = {"action": action, "_selected_action": [person.pk for person in people]} | more
    return client.post(PEOPLE, form, follow=True)


def test_nobody_is_deleted(alice: User) -> None:
    with pytest.raises(NeverDeleted):
        alice.delete()
    with pytest.raises(NeverDeleted):
        User.objects.all().delete()


def test_user_names_and_addresses_are_one_persons_in_any_case(alice: User) -> None:
    for fields in ({"username": "ALICE"}, {"username": "a2", "email": "Alice@Example.com"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user(**fields)
    User.objects.create_user("a3")
    User.objects.create_user("a4")


def test_label_and_initials(alice: User) -> None:
    assert (alice.label, alice.initials) == ("Alice", "A")
    alice.name = "Ada Maria Lovelace"
    assert alice.initials == "AL"
    alice.name = ""
    assert alice.label == "alice"


def test_erasing_leaves_nothing_of_who_they_were(
    alice: User, admin: User, django_capture_on_commit_callbacks: Any
) -> None:
    team = Team.objects.create(name="Blue")
    alice.team = team
    alice.save()
    heard: list[Any] = []
    person_erased.connect(
        lambda person, **kwargs: heard.append(person.username), weak=False, dispatch_uid="t"
    )
    access_ended.connect(
        lambda person, **kwargs: heard.append(person), weak=False, dispatch_uid="t"
    )
    LogEntry.objects.create(
        user=admin,
        content_type_id=_content_type(alice),
        object_id=str(alice.pk),
        object_repr="alice",
        action_flag=2,
    )
    try:
        with django_capture_on_commit_callbacks(execute=True):
            alice.erase()
    finally:
        person_erased.disconnect(dispatch_uid="t")
        access_ended.disconnect(dispatch_uid="t")
    assert heard == ["alice", alice]
    alice.refresh_from_db()
    assert not alice.is_active
    assert (alice.name, alice.email, alice.team) == ("", "", None)
    assert alice.username.startswith("erased-")
    assert not alice.check_password(PASSWORD)
    assert "alice" not in str(list(LogEntry.objects.values()) + list(User.objects.values()))
    alice.reactivate()
    assert not alice.is_active


def _content_type(person: User) -> int:
    from django.contrib.contenttypes.models import ContentType

    return ContentType.objects.get_for_model(person).pk


def test_the_last_admin_stays(admin: User) -> None:
    for verb in (admin.deactivate, admin.erase):
        with pytest.raises(LastAdmin):
            verb()
    User.objects.create_user("second", is_superuser=True)
    admin.deactivate()


def test_a_deactivated_person_is_out_at_the_next_request(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/account/").status_code == 200
    alice.deactivate()
    assert client.get("/account/").status_code == 302


def test_an_admin_invites_without_choosing_a_password(office: Client) -> None:
    assert 'type="password"' not in office.get(f"{PEOPLE}add/").content.decode()
    page = office.post(f"{PEOPLE}add/", {"username": "carol", "name": "Carol"}, follow=True)
    carol = User.objects.get(username="carol")
    assert not carol.has_usable_password()
    assert f"/invite/{carol.public_id.hex}/" in page.content.decode()
    before = page.context["link"]
    after = office.post(f"{PEOPLE}{carol.pk}/link/", follow=True).context["link"]
    assert before.rsplit("/", 2)[-2] != after.rsplit("/", 2)[-2]


def test_a_link_for_somebody_with_a_password_is_made_only_on_purpose(
    office: Client, alice: User
) -> None:
    page = office.get(f"{PEOPLE}{alice.pk}/link/")
    assert not page.context["link"]
    alice.refresh_from_db()
    assert alice.has_usable_password()
    assert office.post(f"{PEOPLE}{alice.pk}/link/", follow=True).context["link"]


def test_actions(office: Client, alice: User, bob: User, admin: User) -> None:
    act(office, "deactivate", alice, bob)
    assert not User.objects.active().exclude(pk=admin.pk).exists()
    act(office, "reactivate", bob)
    assert "last admin" in act(office, "deactivate", admin).content.decode()
    confirm = act(office, "erase", alice)
    assert "Erase 1 person" in confirm.content.decode()
    assert User.objects.filter(username="alice").exists()
    act(office, "erase", alice, confirmed="yes")
    assert not User.objects.filter(username="alice").exists()
    assert User.objects.filter(username="bob", is_active=True).exists()


def test_there_is_no_delete_and_no_typed_password(office: Client, alice: User) -> None:
    assert office.get(f"{PEOPLE}{alice.pk}/delete/").status_code == 403
    assert office.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert office.get(f"{PEOPLE}{alice.pk}/password/").status_code in (302, 404)
    assert office.get(f"{PEOPLE}?password__startswith=a").status_code == 400


def test_what_people_may_do_is_said_in_the_readers_language(office: Client, alice: User) -> None:
    german = {"headers": {"accept-language": "de"}}
    view = Permission.objects.get(codename="view_spend")
    for address in ("/admin/auth/group/add/", f"{PEOPLE}{alice.pk}/change/"):
        page = office.get(address, **german).content.decode()
        assert ": Darf sehen, was alle ausgeben" in page
        assert ": hinzufügen" in page
        assert "Can " not in page
    office.post("/admin/auth/group/add/", {"name": "Watchers", "permissions": [view.pk]})
    assert list(Group.objects.get(name="Watchers").permissions.all()) == [view]


def test_a_clerk_gets_no_power_over_admins(client: Client, clerk: User, admin: User) -> None:
    client.force_login(clerk)
    own = f"{PEOPLE}{clerk.pk}/change/"
    client.post(own, {"username": "clerk", "is_superuser": "on", "is_staff": "on"})
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    assert client.post(f"{PEOPLE}{admin.pk}/change/", {"username": "x"}).status_code == 403
    for method in (client.get, client.post):
        assert method(f"{PEOPLE}{admin.pk}/link/").status_code == 403
    act(client, "deactivate", admin)
    act(client, "erase", admin, confirmed="yes")
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.username == "admin"
    group = Group.objects.get(name=SPEND_ADMINS)
    client.post(f"{PEOPLE}add/", {"username": "carol", "groups": [group.pk]})
    assert not User.objects.get(username="carol").groups.exists()


def test_people_who_are_no_staff_see_no_admin(client: Client, alice: User) -> None:
    client.force_login(alice)
    for page in (PEOPLE, f"{PEOPLE}{alice.pk}/link/", "/admin/accounts/team/"):
        assert client.get(page, follow=True).status_code == 404


def test_a_team_with_people_stays(office: Client, alice: User) -> None:
    team = Team.objects.create(name="Blue")
    alice.team = team
    alice.save()
    office.post(f"/admin/accounts/team/{team.pk}/delete/", {"post": "yes"})
    assert Team.objects.filter(pk=team.pk).exists()


def test_spend_admins_have_the_permission(db: None, alice: User) -> None:
    alice.groups.add(Group.objects.get(name=SPEND_ADMINS))
    assert alice.has_perm("ledger.view_spend")


def test_the_link_goes_by_mail_when_there_is_mail(office: Client) -> None:
    office.post(f"{PEOPLE}add/", {"username": "carol", "email": "carol@example.com"})
    mail._postman.submit(int).result()
    (message,) = outbox.outbox
    assert message.to == ["carol@example.com"]
    assert links.invitation(User.objects.get(username="carol")).rsplit("-")[0][:50] in message.body


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_end_each_other() -> None:
    pair = [User.objects.create_user(name, is_superuser=True) for name in ("ada", "eve")]
    start = threading.Barrier(2)
    refused = []

    def end(person: User) -> None:
        start.wait()
        try:
            person.deactivate()
        except LastAdmin:
            refused.append(person)
        connection.close()

    threads = [threading.Thread(target=end, args=(person,)) for person in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert list(User.objects.admins().active()) == refused
