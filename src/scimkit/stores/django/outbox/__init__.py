"""An app with the table of the outbox of a `DjangoStore`.

Put `scimkit.stores.django.outbox` into INSTALLED_APPS, and run `migrate`. Then create the store with `outbox=True`.
"""
