"""What the audit will be able to judge, said before anything is trained."""
