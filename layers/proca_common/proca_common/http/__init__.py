"""From an API Gateway event to a call into the layer, and from its result or failure to an answer."""
