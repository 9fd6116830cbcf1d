"""An app with the tables of the provisioning log of a `DjangoStore`.

Put `scimkit.stores.django.provisioning_log` into INSTALLED_APPS, and run `migrate`. Then create the store with
`provisioning_log=True`.
"""
