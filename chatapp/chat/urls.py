"""The chat room's addresses."""

from django.urls import path

from chatapp.chat import attachments, deleting, exports, finding, projects, sharing, views

app_name = "chat"
urlpatterns = [
    path("", views.new, name="new"),
    path("c/<uuid:id>/", views.conversation, name="conversation"),
    path("c/<uuid:id>/rename/", views.rename, name="rename"),
    path("c/<uuid:id>/delete/", views.delete, name="delete"),
    path("c/<uuid:id>/restore/", views.restore, name="restore"),
    path("c/<uuid:id>/close/", views.close, name="close"),
    path("c/<uuid:id>/share/", sharing.share, name="share"),
    path("shares/", sharing.shares, name="shares"),
    path("s/<str:token>/", sharing.shared, name="shared"),
    path("m/<uuid:id>/delete/", deleting.delete, name="delete-message"),
    path("m/<uuid:id>/restore/", deleting.restore, name="restore-message"),
    path("c/<uuid:id>/settings/", views.settings_, name="settings"),
    path("c/<uuid:id>/pin/", finding.pin, name="pin"),
    path("c/<uuid:id>/archive/", finding.archive, name="archive"),
    path("c/<uuid:id>/export.md", exports.markdown, name="export-markdown"),
    path("c/<uuid:id>/export.json", exports.whole, name="export-json"),
    path("import/", exports.bring, name="import"),
    path("import/each/", exports.bring_each, name="import-each"),
    path("c/<uuid:id>/move/", projects.move, name="move"),
    path("projects/", projects.projects, name="projects"),
    path("projects/<uuid:id>/", projects.project, name="project"),
    path("projects/<uuid:id>/delete/", projects.delete, name="delete-project"),
    path("chats/", finding.chats, name="chats"),
    path("search/", finding.search, name="search"),
    path("files/", attachments.begin, name="attach"),
    path("files/<uuid:id>/", attachments.serve, name="file"),
    path("files/<uuid:id>/piece/", attachments.piece, name="piece"),
    path("files/<uuid:id>/remove/", attachments.remove, name="detach"),
    path("c/<uuid:id>/figures/", views.figures_, name="figures"),
    path("quote/", views.quote, name="quote"),
    path("m/<uuid:id>/receipt/", views.receipt, name="receipt"),
    path("m/<uuid:id>/text/", views.text, name="text"),
]
