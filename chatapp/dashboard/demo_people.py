"""A made-up team: up to two thousand people in ten teams, who cannot sign in."""

from chatapp.accounts.models import Team, User

FIRST = "Ada Bruno Chika Dana Elif Farid Gina Hugo Ines Jonas Keiko Lars Mara Nils Olga Pablo Qing "
FIRST += "Rosa Sven Tara Uma Viktor Wanda Xavi Yara Zeno Amir Bela Cleo Dara Emil Fatou Goran Hana "
FIRST += "Ivo Joao Kira Leon Mina Noor"
LAST = "Adler Brandt Costa Dubois Endo Fischer Garcia Haddad Ito Jensen Kaya Lindt Moreau Novak "
LAST += "Okafor Petrov Quist Rossi Sato Tanaka Ueda Varga Weber Xu Yilmaz Zhou Ahmed Bauer Chen "
LAST += "Diaz Ekman Fabre Gupta Hansen Ivanov Jung Kim Lopez Meyer Nagy Olsen Park Rao Silva Toth "
LAST += "Unger Vidal Wolf Young Zeller"
TEAMS = [
    "Research",
    "Engineering",
    "Support",
    "Marketing",
    "Sales",
    "Legal",
    "Finance",
    "Design",
    "Operations",
    "Data",
]


def make_people(count: int) -> list[User]:
    """Made once, found again; in an order that no database's rules of sorting change."""
    teams = [Team.objects.get_or_create(name=name)[0] for name in TEAMS]
    firsts, lasts = FIRST.split(), LAST.split()
    # 40 x 50 names: every pair once, neighbours different in both.
    names = [f"{firsts[n % 40]} {lasts[(n + n // 40) % 50]}" for n in range(count)]
    wanted = [
        User(
            username=name.lower().replace(" ", "."),
            name=name,
            team=teams[place % 7 * place % len(teams)],
            password="!made-up",  # noqa: S106 - a password that matches nothing
        )
        for place, name in enumerate(names)
    ]
    User.objects.bulk_create(wanted, ignore_conflicts=True)
    found = User.objects.filter(username__in=[user.username for user in wanted])
    return sorted(found, key=lambda user: user.username)
