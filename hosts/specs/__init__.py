"""What a container is made of, and its forms: the engine's body, an inspect answer, `docker run`, a compose service.

Nothing here talks to anybody. What cannot be used raises common.errors.Invalid with the field's name (dotted:
`limits.memory`, `ports.0.host`) and a sentence.
"""
