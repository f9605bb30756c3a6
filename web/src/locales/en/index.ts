/** A line for each namespace, a file each, in alphabetical order. tests/web holds both languages to the same keys. */
import account from "./account.json";
import administration from "./administration.json";
import codes from "./codes.json";
import airlock from "./airlock.json";
import audit from "./audit.json";
import common from "./common.json";
import contracts from "./contracts.json";
import costs from "./costs.json";
import data from "./data.json";
import deliveries from "./deliveries.json";
import flows from "./flows.json";
import home from "./home.json";
import keys from "./keys.json";
import machines from "./machines.json";
import openings from "./openings.json";
import parts from "./parts.json";
import projects from "./projects.json";
import shell from "./shell.json";
import signIn from "./signIn.json";
import sql from "./sql.json";

export const words = {
  account,
  administration,
  codes,
  airlock,
  audit,
  common,
  contracts,
  costs,
  data,
  deliveries,
  flows,
  home,
  keys,
  machines,
  openings,
  parts,
  projects,
  shell,
  signIn,
  sql,
};
