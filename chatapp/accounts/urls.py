"""The accounts room's addresses."""

from django.urls import path
from django.views.generic import RedirectView, TemplateView

from chatapp.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="login"),
    path("sign-out/", views.SignOut.as_view(), name="logout"),
    path("setup/<str:token>/", views.Setup.as_view(), name="setup"),
    path("invite/<str:uidb64>/<str:token>/", views.AcceptInvitation.as_view(), name="invitation"),
    path("password/change/", views.ChangePassword.as_view(), name="password_change"),
    path("password/reset/", views.ResetPassword.as_view(), name="password_reset"),
    path(
        "password/reset/sent/",
        TemplateView.as_view(template_name="accounts/reset_sent.html"),
        name="password_reset_done",
    ),
    path(
        "password/reset/<str:uidb64>/<str:token>/",
        views.ChoosePassword.as_view(),
        name="password_reset_confirm",
    ),
    path("account/", views.Account.as_view(), name="account"),
    path("theme/", views.theme, name="theme"),
    path("language/", views.language, name="language"),
    # Before the admin's own: one way in, one throttle, one place for passwords.
    path("admin/login/", views.admin_sign_in),
    path("admin/logout/", views.SignOut.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password_change")),
]
