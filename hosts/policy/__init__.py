"""What may be asked of an engine: rules of a policy, and one checker of the bodies that go to it."""
