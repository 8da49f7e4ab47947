"""A campaign of letters in simulated time: how mails to targets spread over its days, also when things go wrong."""
