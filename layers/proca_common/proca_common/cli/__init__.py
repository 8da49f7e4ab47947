"""The command for those who run campaigns: a thin client of the HTTP API, which needs no AWS credentials.

It imports nothing of the rest of the package, and nothing but the standard library until something is to be decrypted:
any Python from 3.11 on runs it.
"""
