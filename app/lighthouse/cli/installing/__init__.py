"""Writing what an agent's client reads in a project, and taking it away again."""
