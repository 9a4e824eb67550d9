// The pages that list chats: the same rows and menu as on the left of a chat.

import { List } from "./list.js";

new List(null);
