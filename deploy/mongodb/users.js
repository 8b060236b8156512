// Run once by the image, when the data folder is new: each service may use its own database and no other.
const passwords = { tickets: process.env.TICKETS_PASSWORD, notifier: process.env.NOTIFIER_PASSWORD };
for (const [name, pwd] of Object.entries(passwords)) {
  db.getSiblingDB(name).createUser({ user: name, pwd, roles: [{ role: "readWrite", db: name }] });
}
