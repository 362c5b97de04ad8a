/* The interview page. What the answers mean, which questions show and what a message says is the server's business; here
   the focus is moved and it is decided when to send. Nothing is kept in browser storage. One part a concern:

   page.js       what the parts share           moving.js     where the focus goes
   saving.js     on the way to the disk         answering.js  what a choice or a code does to an answer
   leaving.js    the page is being left         keys.js       which key does what */
import "./interview/keys.js";
import { start } from "./interview/moving.js";

start();
