// Healthy: this member is the primary of rs0. A new server is told that it is a replica set of one.
const NOT_YET_INITIALIZED = 94;
db.getSiblingDB("admin").auth(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD);
try {
  rs.status();
} catch (error) {
  if (error.code !== NOT_YET_INITIALIZED) throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] });
}
const hello = db.hello();
quit(hello.setName === "rs0" && hello.isWritablePrimary ? 0 : 1);
