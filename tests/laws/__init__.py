"""The laws of the model, held to every policy, traffic and reading."""
