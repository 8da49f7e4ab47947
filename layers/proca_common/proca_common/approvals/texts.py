"""What the pages of links say, in every language that they speak.

To add one: a further entry of `LANGUAGES`; the type checker tells what is missing.
"""

# ruff: noqa: RUF001 - the apostrophes of French and Italian

from __future__ import annotations

from typing import NamedTuple

FALLBACK = "en"


class Ask(NamedTuple):
    """A page that asks: title, a line of explanation, the text of the button."""

    title: str
    line: str
    button: str


class Inputs(NamedTuple):
    """What stands beside the inputs of somebody who logs in: address, password."""

    email: str
    password: str


class Texts(NamedTuple):
    """All texts of one language. Those that ask have the names of what links are for, `inputs` stand beside what
    is typed, the others say what became.
    """

    accept: Ask
    reject: Ask
    doi: Ask
    unsub: Ask
    agree: Ask
    refuse: Ask
    login: Ask
    inputs: Inputs
    accepted: str
    rejected: str
    opted_in: str
    unsubscribed: str
    agreed: str
    refused: str
    already: str
    expired: str
    unknown: str
    impossible: str
    not_known: str
    forbidden: str
    busy: str
    fault: str


LANGUAGES = {
    "en": Texts(
        accept=Ask("Confirm your signature", "One more click, and your signature counts.", "Confirm my signature"),
        reject=Ask("Withdraw your signature", "Your signature will no longer count.", "Withdraw my signature"),
        doi=Ask(
            "Confirm your e-mail address",
            "Yes, this address is mine, and I want to hear from you.",
            "Confirm my address",
        ),
        unsub=Ask("Unsubscribe", "You will get no more e-mails. Your signature still counts.", "Unsubscribe"),
        agree=Ask("Accept the request", "Somebody is waiting for your answer.", "Accept"),
        refuse=Ask("Reject the request", "Somebody is waiting for your answer.", "Reject"),
        login=Ask(
            "Log in to answer",
            "Only somebody with an account may answer this.",
            "Log in and answer",
        ),
        inputs=Inputs("E-mail address", "Your password"),
        accepted="Thank you! Your signature is confirmed.",
        rejected="Your signature has been withdrawn.",
        opted_in="Thank you! Your e-mail address is confirmed.",
        unsubscribed="You have been unsubscribed.",
        agreed="The request has been accepted.",
        refused="The request has been rejected.",
        already="This was settled before. Nothing has changed.",
        expired="This link has expired.",
        unknown="This link does not work. Maybe part of it is missing.",
        impossible="This is no longer possible.",
        not_known="E-mail address or password is wrong.",
        forbidden="You may not answer this request.",
        busy="That did not work. Please try again in a few minutes.",
        fault="Something went wrong. Please try again later.",
    ),
    "de": Texts(
        accept=Ask(
            "Unterschrift bestätigen", "Noch ein Klick, und Ihre Unterschrift zählt.", "Meine Unterschrift bestätigen"
        ),
        reject=Ask(
            "Unterschrift zurückziehen", "Ihre Unterschrift zählt dann nicht mehr.", "Meine Unterschrift zurückziehen"
        ),
        doi=Ask(
            "E-Mail-Adresse bestätigen",
            "Ja, diese Adresse gehört mir, und ich möchte von Ihnen hören.",
            "Meine Adresse bestätigen",
        ),
        unsub=Ask("Abmelden", "Sie erhalten keine E-Mails mehr. Ihre Unterschrift zählt weiterhin.", "Abmelden"),
        agree=Ask("Anfrage annehmen", "Jemand wartet auf Ihre Antwort.", "Annehmen"),
        refuse=Ask("Anfrage ablehnen", "Jemand wartet auf Ihre Antwort.", "Ablehnen"),
        login=Ask(
            "Zum Antworten anmelden",
            "Nur wer ein Konto hat, darf das beantworten.",
            "Anmelden und antworten",
        ),
        inputs=Inputs("E-Mail-Adresse", "Ihr Passwort"),
        accepted="Vielen Dank! Ihre Unterschrift ist bestätigt.",
        rejected="Ihre Unterschrift ist zurückgezogen.",
        opted_in="Vielen Dank! Ihre E-Mail-Adresse ist bestätigt.",
        unsubscribed="Sie sind abgemeldet.",
        agreed="Die Anfrage ist angenommen.",
        refused="Die Anfrage ist abgelehnt.",
        already="Das war schon erledigt. Es hat sich nichts geändert.",
        expired="Dieser Link ist abgelaufen.",
        unknown="Dieser Link funktioniert nicht. Vielleicht fehlt ein Teil davon.",
        impossible="Das ist nicht mehr möglich.",
        not_known="E-Mail-Adresse oder Passwort ist falsch.",
        forbidden="Sie dürfen diese Anfrage nicht beantworten.",
        busy="Das hat nicht geklappt. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
        fault="Etwas ist schiefgegangen. Bitte versuchen Sie es später noch einmal.",
    ),
    "fr": Texts(
        accept=Ask(
            "Confirmez votre signature",
            "Encore un clic, et votre signature sera prise en compte.",
            "Confirmer ma signature",
        ),
        reject=Ask("Retirez votre signature", "Votre signature ne sera plus prise en compte.", "Retirer ma signature"),
        doi=Ask(
            "Confirmez votre adresse e-mail",
            "Oui, cette adresse est la mienne et je souhaite recevoir de vos nouvelles.",
            "Confirmer mon adresse",
        ),
        unsub=Ask(
            "Désinscription",
            "Vous ne recevrez plus d’e-mails. Votre signature reste prise en compte.",
            "Me désinscrire",
        ),
        agree=Ask("Acceptez la demande", "Quelqu’un attend votre réponse.", "Accepter"),
        refuse=Ask("Refusez la demande", "Quelqu’un attend votre réponse.", "Refuser"),
        login=Ask(
            "Connectez-vous pour répondre",
            "Seule une personne ayant un compte peut répondre.",
            "Me connecter et répondre",
        ),
        inputs=Inputs("Adresse e-mail", "Votre mot de passe"),
        accepted="Merci ! Votre signature est confirmée.",
        rejected="Votre signature a été retirée.",
        opted_in="Merci ! Votre adresse e-mail est confirmée.",
        unsubscribed="Vous êtes désinscrit·e.",
        agreed="La demande a été acceptée.",
        refused="La demande a été refusée.",
        already="C’était déjà fait. Rien n’a changé.",
        expired="Ce lien a expiré.",
        unknown="Ce lien ne fonctionne pas. Il en manque peut-être une partie.",
        impossible="Ce n’est plus possible.",
        not_known="L’adresse e-mail ou le mot de passe est incorrect.",
        forbidden="Vous ne pouvez pas répondre à cette demande.",
        busy="Cela n’a pas fonctionné. Veuillez réessayer dans quelques minutes.",
        fault="Une erreur est survenue. Veuillez réessayer plus tard.",
    ),
    "es": Texts(
        accept=Ask("Confirme su firma", "Un clic más y su firma contará.", "Confirmar mi firma"),
        reject=Ask("Retire su firma", "Su firma dejará de contar.", "Retirar mi firma"),
        doi=Ask(
            "Confirme su dirección de correo",
            "Sí, esta dirección es mía y quiero recibir sus noticias.",
            "Confirmar mi dirección",
        ),
        unsub=Ask("Darse de baja", "No recibirá más correos. Su firma sigue contando.", "Darme de baja"),
        agree=Ask("Acepte la solicitud", "Alguien espera su respuesta.", "Aceptar"),
        refuse=Ask("Rechace la solicitud", "Alguien espera su respuesta.", "Rechazar"),
        login=Ask(
            "Inicie sesión para responder",
            "Solo puede responder alguien que tenga una cuenta.",
            "Iniciar sesión y responder",
        ),
        inputs=Inputs("Correo electrónico", "Su contraseña"),
        accepted="¡Gracias! Su firma está confirmada.",
        rejected="Su firma ha sido retirada.",
        opted_in="¡Gracias! Su dirección de correo está confirmada.",
        unsubscribed="Se ha dado de baja.",
        agreed="La solicitud ha sido aceptada.",
        refused="La solicitud ha sido rechazada.",
        already="Esto ya estaba hecho. Nada ha cambiado.",
        expired="Este enlace ha caducado.",
        unknown="Este enlace no funciona. Quizá le falte una parte.",
        impossible="Esto ya no es posible.",
        not_known="El correo electrónico o la contraseña no son correctos.",
        forbidden="Usted no puede responder a esta solicitud.",
        busy="No ha funcionado. Inténtelo de nuevo en unos minutos.",
        fault="Algo ha fallado. Inténtelo de nuevo más tarde.",
    ),
    "it": Texts(
        accept=Ask("Conferma la tua firma", "Ancora un clic e la tua firma sarà valida.", "Conferma la mia firma"),
        reject=Ask("Ritira la tua firma", "La tua firma non sarà più conteggiata.", "Ritira la mia firma"),
        doi=Ask(
            "Conferma il tuo indirizzo e-mail",
            "Sì, questo indirizzo è mio e voglio ricevere vostre notizie.",
            "Conferma il mio indirizzo",
        ),
        unsub=Ask(
            "Annulla l’iscrizione", "Non riceverai più e-mail. La tua firma resta valida.", "Annulla la mia iscrizione"
        ),
        agree=Ask("Accetta la richiesta", "Qualcuno aspetta la tua risposta.", "Accetta"),
        refuse=Ask("Rifiuta la richiesta", "Qualcuno aspetta la tua risposta.", "Rifiuta"),
        login=Ask(
            "Acceda per rispondere",
            "Può rispondere solo chi ha un account.",
            "Accedere e rispondere",
        ),
        inputs=Inputs("Indirizzo e-mail", "La sua password"),
        accepted="Grazie! La tua firma è confermata.",
        rejected="La tua firma è stata ritirata.",
        opted_in="Grazie! Il tuo indirizzo e-mail è confermato.",
        unsubscribed="La tua iscrizione è stata annullata.",
        agreed="La richiesta è stata accettata.",
        refused="La richiesta è stata rifiutata.",
        already="Era già fatto. Non è cambiato nulla.",
        expired="Questo link è scaduto.",
        unknown="Questo link non funziona. Forse ne manca una parte.",
        impossible="Non è più possibile.",
        not_known="L’indirizzo e-mail o la password non è corretta.",
        forbidden="Lei non può rispondere a questa richiesta.",
        busy="Non ha funzionato. Riprova tra qualche minuto.",
        fault="Qualcosa è andato storto. Riprova più tardi.",
    ),
    "nl": Texts(
        accept=Ask("Bevestig je handtekening", "Nog één klik en je handtekening telt.", "Mijn handtekening bevestigen"),
        reject=Ask("Trek je handtekening in", "Je handtekening telt dan niet meer.", "Mijn handtekening intrekken"),
        doi=Ask(
            "Bevestig je e-mailadres",
            "Ja, dit adres is van mij en ik wil graag van jullie horen.",
            "Mijn adres bevestigen",
        ),
        unsub=Ask("Afmelden", "Je krijgt geen e-mails meer. Je handtekening blijft tellen.", "Afmelden"),
        agree=Ask("Verzoek accepteren", "Iemand wacht op je antwoord.", "Accepteren"),
        refuse=Ask("Verzoek afwijzen", "Iemand wacht op je antwoord.", "Afwijzen"),
        login=Ask(
            "Log in om te antwoorden",
            "Alleen iemand met een account kan dit beantwoorden.",
            "Inloggen en antwoorden",
        ),
        inputs=Inputs("E-mailadres", "Uw wachtwoord"),
        accepted="Bedankt! Je handtekening is bevestigd.",
        rejected="Je handtekening is ingetrokken.",
        opted_in="Bedankt! Je e-mailadres is bevestigd.",
        unsubscribed="Je bent afgemeld.",
        agreed="Het verzoek is geaccepteerd.",
        refused="Het verzoek is afgewezen.",
        already="Dit was al gebeurd. Er is niets veranderd.",
        expired="Deze link is verlopen.",
        unknown="Deze link werkt niet. Misschien ontbreekt er een deel.",
        impossible="Dit is niet meer mogelijk.",
        not_known="Het e-mailadres of het wachtwoord klopt niet.",
        forbidden="U mag dit verzoek niet beantwoorden.",
        busy="Dat is niet gelukt. Probeer het over een paar minuten opnieuw.",
        fault="Er is iets misgegaan. Probeer het later opnieuw.",
    ),
    "pl": Texts(
        accept=Ask(
            "Potwierdź swój podpis", "Jeszcze jedno kliknięcie i podpis będzie ważny.", "Potwierdzam mój podpis"
        ),
        reject=Ask("Wycofaj swój podpis", "Twój podpis nie będzie już liczony.", "Wycofuję mój podpis"),
        doi=Ask(
            "Potwierdź swój adres e-mail",
            "Tak, to mój adres i chcę otrzymywać od Was wiadomości.",
            "Potwierdzam mój adres",
        ),
        unsub=Ask(
            "Rezygnacja z wiadomości",
            "Nie będziesz już otrzymywać wiadomości. Twój podpis pozostaje ważny.",
            "Rezygnuję z wiadomości",
        ),
        agree=Ask("Przyjmij prośbę", "Ktoś czeka na Twoją odpowiedź.", "Przyjmuję"),
        refuse=Ask("Odrzuć prośbę", "Ktoś czeka na Twoją odpowiedź.", "Odrzucam"),
        login=Ask(
            "Zaloguj się, aby odpowiedzieć",
            "Odpowiedzieć może tylko osoba, która ma konto.",
            "Zaloguj się i odpowiedz",
        ),
        inputs=Inputs("Adres e-mail", "Hasło"),
        accepted="Dziękujemy! Twój podpis został potwierdzony.",
        rejected="Twój podpis został wycofany.",
        opted_in="Dziękujemy! Twój adres e-mail został potwierdzony.",
        unsubscribed="Nie będziesz już otrzymywać od nas wiadomości.",
        agreed="Prośba została przyjęta.",
        refused="Prośba została odrzucona.",
        already="To zostało zrobione już wcześniej. Nic się nie zmieniło.",
        expired="Ten link stracił ważność.",
        unknown="Ten link nie działa. Być może brakuje jego części.",
        impossible="To nie jest już możliwe.",
        not_known="Adres e-mail lub hasło jest nieprawidłowe.",
        forbidden="Nie możesz odpowiedzieć na tę prośbę.",
        busy="Nie udało się. Spróbuj ponownie za kilka minut.",
        fault="Coś poszło nie tak. Spróbuj ponownie później.",
    ),
    "pt": Texts(
        accept=Ask(
            "Confirme a sua assinatura", "Mais um clique e a sua assinatura conta.", "Confirmar a minha assinatura"
        ),
        reject=Ask("Retire a sua assinatura", "A sua assinatura deixará de contar.", "Retirar a minha assinatura"),
        doi=Ask(
            "Confirme o seu endereço de e-mail",
            "Sim, este endereço é meu e quero receber as vossas notícias.",
            "Confirmar o meu endereço",
        ),
        unsub=Ask(
            "Cancelar a subscrição",
            "Não receberá mais e-mails. A sua assinatura continua a contar.",
            "Cancelar a subscrição",
        ),
        agree=Ask("Aceite o pedido", "Alguém espera pela sua resposta.", "Aceitar"),
        refuse=Ask("Recuse o pedido", "Alguém espera pela sua resposta.", "Recusar"),
        login=Ask(
            "Inicie sessão para responder",
            "Só pode responder quem tem uma conta.",
            "Iniciar sessão e responder",
        ),
        inputs=Inputs("Endereço de e-mail", "A sua palavra-passe"),
        accepted="Obrigado! A sua assinatura está confirmada.",
        rejected="A sua assinatura foi retirada.",
        opted_in="Obrigado! O seu endereço de e-mail está confirmado.",
        unsubscribed="A sua subscrição foi cancelada.",
        agreed="O pedido foi aceite.",
        refused="O pedido foi recusado.",
        already="Isto já estava feito. Nada mudou.",
        expired="Este link expirou.",
        unknown="Este link não funciona. Talvez falte uma parte.",
        impossible="Isto já não é possível.",
        not_known="O endereço de e-mail ou a palavra-passe está errado.",
        forbidden="Não pode responder a este pedido.",
        busy="Não funcionou. Tente novamente dentro de alguns minutos.",
        fault="Algo correu mal. Tente novamente mais tarde.",
    ),
    "sv": Texts(
        accept=Ask(
            "Bekräfta din underskrift", "Ett klick till, så räknas din underskrift.", "Bekräfta min underskrift"
        ),
        reject=Ask("Ta tillbaka din underskrift", "Din underskrift räknas inte längre.", "Ta tillbaka min underskrift"),
        doi=Ask("Bekräfta din e-postadress", "Ja, adressen är min och jag vill höra från er.", "Bekräfta min adress"),
        unsub=Ask("Avregistrera dig", "Du får inga fler mejl. Din underskrift räknas fortfarande.", "Avregistrera mig"),
        agree=Ask("Godkänn förfrågan", "Någon väntar på ditt svar.", "Godkänn"),
        refuse=Ask("Avslå förfrågan", "Någon väntar på ditt svar.", "Avslå"),
        login=Ask(
            "Logga in för att svara",
            "Bara den som har ett konto kan svara.",
            "Logga in och svara",
        ),
        inputs=Inputs("E-postadress", "Ditt lösenord"),
        accepted="Tack! Din underskrift är bekräftad.",
        rejected="Din underskrift är tillbakatagen.",
        opted_in="Tack! Din e-postadress är bekräftad.",
        unsubscribed="Du är avregistrerad.",
        agreed="Förfrågan är godkänd.",
        refused="Förfrågan är avslagen.",
        already="Det var redan gjort. Ingenting har ändrats.",
        expired="Den här länken har gått ut.",
        unknown="Den här länken fungerar inte. Kanske saknas en del av den.",
        impossible="Det är inte längre möjligt.",
        not_known="E-postadressen eller lösenordet är fel.",
        forbidden="Du får inte svara på den här förfrågan.",
        busy="Det gick inte. Försök igen om några minuter.",
        fault="Något gick fel. Försök igen senare.",
    ),
    "da": Texts(
        accept=Ask("Bekræft din underskrift", "Et klik mere, så tæller din underskrift.", "Bekræft min underskrift"),
        reject=Ask(
            "Træk din underskrift tilbage", "Din underskrift tæller så ikke længere.", "Træk min underskrift tilbage"
        ),
        doi=Ask(
            "Bekræft din e-mailadresse", "Ja, adressen er min, og jeg vil gerne høre fra jer.", "Bekræft min adresse"
        ),
        unsub=Ask("Afmeld", "Du får ikke flere e-mails. Din underskrift tæller stadig.", "Afmeld mig"),
        agree=Ask("Godkend anmodningen", "Nogen venter på dit svar.", "Godkend"),
        refuse=Ask("Afvis anmodningen", "Nogen venter på dit svar.", "Afvis"),
        login=Ask(
            "Log ind for at svare",
            "Kun den, der har en konto, kan svare.",
            "Log ind og svar",
        ),
        inputs=Inputs("E-mailadresse", "Din adgangskode"),
        accepted="Tak! Din underskrift er bekræftet.",
        rejected="Din underskrift er trukket tilbage.",
        opted_in="Tak! Din e-mailadresse er bekræftet.",
        unsubscribed="Du er afmeldt.",
        agreed="Anmodningen er godkendt.",
        refused="Anmodningen er afvist.",
        already="Det var allerede gjort. Intet er ændret.",
        expired="Dette link er udløbet.",
        unknown="Dette link virker ikke. Måske mangler der en del af det.",
        impossible="Det er ikke længere muligt.",
        not_known="E-mailadressen eller adgangskoden er forkert.",
        forbidden="Du må ikke svare på denne anmodning.",
        busy="Det lykkedes ikke. Prøv igen om et par minutter.",
        fault="Noget gik galt. Prøv igen senere.",
    ),
    "cs": Texts(
        accept=Ask("Potvrďte svůj podpis", "Ještě jedno kliknutí a váš podpis bude platit.", "Potvrdit můj podpis"),
        reject=Ask("Stáhněte svůj podpis", "Váš podpis už nebude započítán.", "Stáhnout můj podpis"),
        doi=Ask(
            "Potvrďte svou e-mailovou adresu",
            "Ano, tato adresa je moje a chci od vás dostávat zprávy.",
            "Potvrdit mou adresu",
        ),
        unsub=Ask("Odhlášení", "Nebudete už dostávat žádné e-maily. Váš podpis dál platí.", "Odhlásit se"),
        agree=Ask("Přijměte žádost", "Někdo čeká na vaši odpověď.", "Přijmout"),
        refuse=Ask("Odmítněte žádost", "Někdo čeká na vaši odpověď.", "Odmítnout"),
        login=Ask(
            "Pro odpověď se přihlaste",
            "Odpovědět může jen ten, kdo má účet.",
            "Přihlásit se a odpovědět",
        ),
        inputs=Inputs("E-mailová adresa", "Vaše heslo"),
        accepted="Děkujeme! Váš podpis je potvrzen.",
        rejected="Váš podpis byl stažen.",
        opted_in="Děkujeme! Vaše e-mailová adresa je potvrzena.",
        unsubscribed="Byli jste odhlášeni.",
        agreed="Žádost byla přijata.",
        refused="Žádost byla odmítnuta.",
        already="To už bylo vyřízeno. Nic se nezměnilo.",
        expired="Platnost tohoto odkazu vypršela.",
        unknown="Tento odkaz nefunguje. Možná chybí jeho část.",
        impossible="To už není možné.",
        not_known="E-mailová adresa nebo heslo nesouhlasí.",
        forbidden="Na tuto žádost nesmíte odpovědět.",
        busy="Nepodařilo se to. Zkuste to prosím znovu za několik minut.",
        fault="Něco se pokazilo. Zkuste to prosím znovu později.",
    ),
    "ro": Texts(
        accept=Ask(
            "Confirmați semnătura", "Încă un clic și semnătura dumneavoastră contează.", "Confirm semnătura mea"
        ),
        reject=Ask("Retrageți semnătura", "Semnătura dumneavoastră nu va mai conta.", "Îmi retrag semnătura"),
        doi=Ask(
            "Confirmați adresa de e-mail",
            "Da, această adresă este a mea și vreau să primesc vești de la dumneavoastră.",
            "Confirm adresa mea",
        ),
        unsub=Ask(
            "Dezabonare", "Nu veți mai primi e-mailuri. Semnătura dumneavoastră contează în continuare.", "Mă dezabonez"
        ),
        agree=Ask("Acceptați cererea", "Cineva așteaptă răspunsul dumneavoastră.", "Accept"),
        refuse=Ask("Respingeți cererea", "Cineva așteaptă răspunsul dumneavoastră.", "Resping"),
        login=Ask(
            "Autentificați-vă pentru a răspunde",
            "Poate răspunde doar cineva care are un cont.",
            "Mă autentific și răspund",
        ),
        inputs=Inputs("Adresa de e-mail", "Parola dumneavoastră"),
        accepted="Vă mulțumim! Semnătura dumneavoastră este confirmată.",
        rejected="Semnătura dumneavoastră a fost retrasă.",
        opted_in="Vă mulțumim! Adresa de e-mail este confirmată.",
        unsubscribed="V-ați dezabonat.",
        agreed="Cererea a fost acceptată.",
        refused="Cererea a fost respinsă.",
        already="Acest lucru era deja făcut. Nimic nu s-a schimbat.",
        expired="Acest link a expirat.",
        unknown="Acest link nu funcționează. Poate lipsește o parte din el.",
        impossible="Acest lucru nu mai este posibil.",
        not_known="Adresa de e-mail sau parola este greșită.",
        forbidden="Nu aveți dreptul să răspundeți la această cerere.",
        busy="Nu a reușit. Încercați din nou peste câteva minute.",
        fault="Ceva nu a mers bine. Încercați din nou mai târziu.",
    ),
}


def of_locale(locale: str) -> str:
    """The language of a page's locale, such as `pt_BR`; English where it is not spoken here."""
    language = locale.partition("_")[0].partition("@")[0]
    return language if language in LANGUAGES else FALLBACK


def of_browser(accept_language: str | None) -> str:
    """The first language of the browser's own order that is spoken here (RFC 9110 12.5.4), for pages that belong to no
    action page.
    """
    wanted = [part.strip().partition(";") for part in (accept_language or "")[:200].split(",")]
    ranked = sorted(wanted, key=lambda part: -_quality(part[2]))
    languages = (part[0].partition("-")[0].lower() for part in ranked if _quality(part[2]) > 0)
    return next((language for language in languages if language in LANGUAGES), FALLBACK)


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
