/** Every text of the page in every language. `errors` are by code, or by code and pointer; what is missing here the API words itself. */

export const TEXTS = {
  en: {
    skip: "Skip to the form",
    language: "Language",
    loading: "One moment …",
    sorry: "Sorry!",
    sign: "Sign now",
    required: "Fields marked with * are needed.",
    firstName: "First name",
    lastName: "Last name",
    email: "E-mail address",
    country: "Country",
    postcode: "Postcode",
    optIn: "May {org} keep you up to date by e-mail?",
    leadOptIn: "May {org} keep you up to date too?",
    yes: "Yes",
    no: "No, thank you",
    submit: "Sign",
    nobody: "Nobody has signed yet: be the first!",
    people_one: "{count} person has signed",
    people_other: "{count} people have signed",
    goal: "Our goal: {goal}",
    checking: "Making sure that no machine signs …",
    sending: "Sending your signature …",
    waiting: "We cannot get through at the moment. Your signature is kept here and sent again, please leave this page open.",
    check_one: "Please have a look at the field that is marked.",
    check_other: "Please have a look at the {count} fields that are marked.",
    thanks: "Thank you, {name}!",
    shareWhy: "Your signature counts. It counts double when a friend signs too:",
    shareNative: "Share",
    shareWhatsapp: "Share on WhatsApp",
    shareFacebook: "Share on Facebook",
    shareEmail: "Share by e-mail",
    shareLink: "Copy the link",
    shared: "Thank you for sharing!",
    copied: "The link is copied. Thank you for sharing!",
    problems: {
      "": "This did not work. Please try again later.",
      unreachable: "We cannot be reached at the moment. What you typed is still here, please try again in a while.",
      unavailable: "Very many people are signing at the moment. What you typed is still here, please try again in a while.",
      "too-many": "There were too many signatures from your network. What you typed is still here, please try again in a while.",
      "not-allowed": "This signature cannot be taken.",
      "not-found": "There is no such petition (any more).",
      unsupported: "This petition asks for a check that this page does not have.",
    },
    errors: {
      blank: "Please fill this in.",
      "blank /privacy/optIn": "Please choose.",
      "blank /privacy/leadOptIn": "Please choose.",
      format: "This does not look right.",
      "format /contact/firstName": "A name has letters, and no digits or addresses.",
      "format /contact/lastName": "A name has letters, and no digits or addresses.",
      "format /contact/email": "An e-mail address looks like name@example.org.",
      "format /contact/address/postcode": "This is no postcode of that country.",
      too_long: "This is too long.",
      invalid: "This is not possible here.",
      age: "You are not old enough to sign.",
      unauthorized: "Please try once more.",
      bad_captcha: "We could not make sure that no machine signs. Please try once more.",
    },
  },
  de: {
    skip: "Zum Formular",
    language: "Sprache",
    loading: "Einen Moment …",
    sorry: "Entschuldigung!",
    sign: "Jetzt unterschreiben",
    required: "Felder mit * werden gebraucht.",
    firstName: "Vorname",
    lastName: "Nachname",
    email: "E-Mail-Adresse",
    country: "Land",
    postcode: "Postleitzahl",
    optIn: "Darf {org} Sie per E-Mail auf dem Laufenden halten?",
    leadOptIn: "Darf auch {org} Sie auf dem Laufenden halten?",
    yes: "Ja",
    no: "Nein, danke",
    submit: "Unterschreiben",
    nobody: "Noch hat niemand unterschrieben: Machen Sie den Anfang!",
    people_one: "{count} Person hat unterschrieben",
    people_other: "{count} Menschen haben unterschrieben",
    goal: "Unser Ziel: {goal}",
    checking: "Wir stellen sicher, dass keine Maschine unterschreibt …",
    sending: "Ihre Unterschrift wird gesendet …",
    waiting: "Wir kommen gerade nicht durch. Ihre Unterschrift bleibt hier und wird noch einmal gesendet, bitte lassen Sie die Seite offen.",
    check_one: "Bitte sehen Sie sich das markierte Feld an.",
    check_other: "Bitte sehen Sie sich die {count} markierten Felder an.",
    thanks: "Danke, {name}!",
    shareWhy: "Ihre Unterschrift zählt. Sie zählt doppelt, wenn noch jemand unterschreibt:",
    shareNative: "Teilen",
    shareWhatsapp: "Auf WhatsApp teilen",
    shareFacebook: "Auf Facebook teilen",
    shareEmail: "Per E-Mail teilen",
    shareLink: "Link kopieren",
    shared: "Danke fürs Teilen!",
    copied: "Der Link ist kopiert. Danke fürs Teilen!",
    problems: {
      "": "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal.",
      unreachable: "Wir sind gerade nicht zu erreichen. Ihre Angaben sind noch hier, bitte versuchen Sie es in einer Weile noch einmal.",
      unavailable: "Gerade unterschreiben sehr viele Menschen. Ihre Angaben sind noch hier, bitte versuchen Sie es in einer Weile noch einmal.",
      "too-many": "Aus Ihrem Netz kamen zu viele Unterschriften. Ihre Angaben sind noch hier, bitte versuchen Sie es in einer Weile noch einmal.",
      "not-allowed": "Diese Unterschrift kann nicht angenommen werden.",
      "not-found": "Diese Petition gibt es nicht (mehr).",
      unsupported: "Diese Petition verlangt eine Prüfung, die diese Seite nicht kann.",
    },
    errors: {
      blank: "Bitte füllen Sie das aus.",
      "blank /privacy/optIn": "Bitte wählen Sie.",
      "blank /privacy/leadOptIn": "Bitte wählen Sie.",
      format: "Das sieht nicht richtig aus.",
      "format /contact/firstName": "Ein Name hat Buchstaben und keine Ziffern oder Adressen.",
      "format /contact/lastName": "Ein Name hat Buchstaben und keine Ziffern oder Adressen.",
      "format /contact/email": "Eine E-Mail-Adresse sieht aus wie name@example.org.",
      "format /contact/address/postcode": "Das ist keine Postleitzahl dieses Landes.",
      too_long: "Das ist zu lang.",
      invalid: "Das ist hier nicht möglich.",
      age: "Sie sind noch nicht alt genug, um zu unterschreiben.",
      unauthorized: "Bitte versuchen Sie es noch einmal.",
      bad_captcha: "Wir konnten nicht sicherstellen, dass keine Maschine unterschreibt. Bitte versuchen Sie es noch einmal.",
    },
  },
  fr: {
    skip: "Aller au formulaire",
    language: "Langue",
    loading: "Un instant…",
    sorry: "Désolé !",
    sign: "Signez maintenant",
    required: "Les champs marqués d’un * sont nécessaires.",
    firstName: "Prénom",
    lastName: "Nom",
    email: "Adresse e-mail",
    country: "Pays",
    postcode: "Code postal",
    optIn: "{org} peut-elle vous tenir au courant par e-mail ?",
    leadOptIn: "{org} peut-elle aussi vous tenir au courant ?",
    yes: "Oui",
    no: "Non, merci",
    submit: "Signer",
    nobody: "Personne n’a encore signé : soyez la première personne !",
    people_one: "{count} personne a signé",
    people_other: "{count} personnes ont signé",
    goal: "Notre but : {goal}",
    checking: "Nous vérifions qu’aucune machine ne signe…",
    sending: "Votre signature est envoyée…",
    waiting: "La connexion ne passe pas pour le moment. Votre signature est gardée ici et sera renvoyée, veuillez laisser cette page ouverte.",
    check_one: "Veuillez vérifier le champ marqué.",
    check_other: "Veuillez vérifier les {count} champs marqués.",
    thanks: "Merci, {name} !",
    shareWhy: "Votre signature compte. Elle compte double si une autre personne signe aussi :",
    shareNative: "Partager",
    shareWhatsapp: "Partager sur WhatsApp",
    shareFacebook: "Partager sur Facebook",
    shareEmail: "Partager par e-mail",
    shareLink: "Copier le lien",
    shared: "Merci d’avoir partagé !",
    copied: "Le lien est copié. Merci de le partager !",
    problems: {
      "": "Cela n’a pas marché. Veuillez réessayer plus tard.",
      unreachable: "Nous sommes injoignables pour le moment. Vos données sont encore ici, veuillez réessayer dans un moment.",
      unavailable: "Beaucoup de personnes signent en ce moment. Vos données sont encore ici, veuillez réessayer dans un moment.",
      "too-many": "Trop de signatures sont venues de votre réseau. Vos données sont encore ici, veuillez réessayer dans un moment.",
      "not-allowed": "Cette signature ne peut pas être acceptée.",
      "not-found": "Cette pétition n’existe pas (ou plus).",
      unsupported: "Cette pétition demande une vérification que cette page ne connaît pas.",
    },
    errors: {
      blank: "Veuillez remplir ce champ.",
      "blank /privacy/optIn": "Veuillez choisir.",
      "blank /privacy/leadOptIn": "Veuillez choisir.",
      format: "Cela ne semble pas correct.",
      "format /contact/firstName": "Un nom a des lettres, sans chiffres ni adresses.",
      "format /contact/lastName": "Un nom a des lettres, sans chiffres ni adresses.",
      "format /contact/email": "Une adresse e-mail ressemble à nom@example.org.",
      "format /contact/address/postcode": "Ce n’est pas un code postal de ce pays.",
      too_long: "C’est trop long.",
      invalid: "Ce n’est pas possible ici.",
      age: "Vous n’avez pas l’âge de signer.",
      unauthorized: "Veuillez réessayer.",
      bad_captcha: "Nous n’avons pas pu vérifier qu’aucune machine ne signe. Veuillez réessayer.",
    },
  },
};

/** The first of these locales (`de`, `pt_BR`, `fr-CH`) that there are texts for, else English. */
export function languageOf(...locales) {
  const languages = locales.filter(Boolean).map((locale) => locale.slice(0, 2).toLowerCase());
  return languages.find((language) => language in TEXTS) ?? "en";
}

/** A text with its values. With a number as `count` it is the form that the language has for so many. */
export function text(language, key, values = {}) {
  const texts = TEXTS[language];
  const form = new Intl.PluralRules(language).select(values.count ?? 0);
  const found = texts[key] ?? texts[`${key}_${form}`] ?? texts[`${key}_other`];
  return found.replace(/\{(\w+)\}/g, (_, name) => shown(language, values[name]));
}

/** What a failed rule means: by its code and pointer, by its code alone, or as the API words it. */
export function errorText(language, { code, pointer, message }) {
  const { errors } = TEXTS[language];
  return errors[`${code} ${pointer}`] ?? errors[code] ?? message;
}

/** What a problem means, by its code. */
export function problemText(language, code, fallback) {
  const { problems } = TEXTS[language];
  return problems[code] ?? fallback ?? problems[""];
}

/** A number as the language writes it. */
function shown(language, value) {
  return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : (value ?? "");
}
