"""A Django app: a helpdesk that knew nothing of SCIM."""
