"""What happens when somebody follows a link and agrees or refuses: supporters, second people (domain 7)."""
