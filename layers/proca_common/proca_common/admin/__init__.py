"""The admin command: sets up an instance and its catalogue until the management API does (python -m proca_common.admin
--help).
"""
