// The only place where HTML text becomes elements. It is rendered and cleaned by our own server.

const policy = window.trustedTypes?.createPolicy("chatapp", { createHTML: (html) => html })
  ?? { createHTML: (html) => html };

export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

export function element(html) {
  return fragment(html).firstElementChild;
}
